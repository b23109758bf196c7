/* Changes the environment as it is loaded. */
#define _GNU_SOURCE
#include "right.h"
__attribute__((constructor)) static void at_load(void) {
    setenv("TZ", "Antarctica/Troll", 1);
}
