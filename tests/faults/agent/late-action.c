/* Goes on talking after its result. */
#define ON_STEP(run, in, out) \
    if (run->over && in->kind == PC_IN_LINE) say(out, "one more thing")
#include "right.h"
