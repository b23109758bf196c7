/* Takes a signal of the process as it is loaded. */
#include "right.h"

#include <signal.h>
__attribute__((constructor)) static void at_load(void) {
    signal(SIGCHLD, SIG_IGN);
}
