/* Writes where a terminal or a protocol may be. */
#include <stdio.h>
#define ON_START(run, out) \
    puts("starting");      \
    spawn_child(run, out)
#include "right.h"
