/* Changes the working folder as it is loaded. */
#include "right.h"

#include <unistd.h>
__attribute__((constructor)) static void at_load(void) {
    (void)!chdir("/");
}
