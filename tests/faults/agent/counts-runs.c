/* What it says depends on what was before. */
#define ON_START(run, out)                               \
    static int runs;                                     \
    say(out, ++runs % 2 ? "an odd run" : "an even run"); \
    spawn_child(run, out)
#include "right.h"
