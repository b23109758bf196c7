/* Starts a process of its own. */
#include <unistd.h>
#define ON_OPEN(request, run) \
    (void)request;            \
    if (fork() == 0) _exit(0)
#include "right.h"
