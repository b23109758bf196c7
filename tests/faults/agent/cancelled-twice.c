/* Each cancel has a result. */
#define ON_STEP(run, in, out)                                    \
    if (run->over && in->kind == PC_IN_CANCEL && run->cancelled) \
    give_result(out, PC_CLASS_CANCELLED)
#include "right.h"
