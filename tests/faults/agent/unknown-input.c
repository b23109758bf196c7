/* Takes whatever it does not know for a cancel. */
#define ON_STEP(run, in, out)                                                 \
    if (!run->over && (in->kind < PC_IN_START || in->kind > PC_IN_RECOVER)) { \
        say(out, "what is this?");                                            \
    }
#include "right.h"
