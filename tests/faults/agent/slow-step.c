/* Takes its time over a long prompt. */
#include <time.h>
static void work_for_ms(long ms) {
    const clock_t end = clock() + ms * (CLOCKS_PER_SEC / 1000);
    while (clock() < end) continue;
}
#define ON_START(run, out)                           \
    if (run->prompt_size > 500000) work_for_ms(120); \
    spawn_child(run, out)
#include "right.h"
