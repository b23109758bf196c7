/* A child without a program. */
#define ON_START(run, out)                                      \
    pc_spawn empty = {.struct_size = sizeof empty, .child = 1}; \
    run->alive = 1;                                             \
    out->spawn(out->ctx, &empty)
#include "right.h"
