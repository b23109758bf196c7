/* A result of the child's end, and another one. */
#define ON_STEP(run, in, out) \
    if (in->kind == PC_IN_EXIT && run->alive && !run->cancelled) give_result(out, PC_CLASS_OK)
#include "right.h"
