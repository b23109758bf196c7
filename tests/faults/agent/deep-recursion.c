/* Reads JSON without a limit of its depth. */
#include <stddef.h>
static int depth_of(const char* text, size_t size) {
    volatile char frame[400];
    frame[0] = 1;
    if (size == 0 || text[0] != '[') return 0;
    return depth_of(text + 1, size - 1) + frame[0];
}
#define ON_OPEN(request, run)                                                                 \
    if (PC_HAS(request, pc_request, context)) {                                               \
        run->prompt_size += (uint64_t)depth_of(request->context.data, request->context.size); \
    }
#include "right.h"
