/* Opens a file for each run. */
#include <fcntl.h>
#define ON_OPEN(request, run) \
    (void)request;            \
    (void)!open("/dev/null", O_RDONLY)
#include "right.h"
