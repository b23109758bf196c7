/* Opens a file as it is loaded. */
#include "right.h"

#include <fcntl.h>
__attribute__((constructor)) static void at_load(void) {
    (void)!open("/dev/null", O_RDONLY);
}
