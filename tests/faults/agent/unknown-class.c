/* A result of a class that there is not. */
#define ON_STEP(run, in, out)                   \
    if (in->kind == PC_IN_EXIT && run->alive) { \
        run->over = 1;                          \
        run->alive = 0;                         \
        give_result(out, 99);                   \
    }
#include "right.h"
