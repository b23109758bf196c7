/* Does not look how long the request is. */
#define ON_OPEN(request, run) \
    if (request->session.size > 0) run->prompt_size += (unsigned char)request->session.data[0]
#include "right.h"
