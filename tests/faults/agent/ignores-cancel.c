/* Does not want to end before its time: its child was ended, it waits for another. */
#define ON_STEP(run, in, out) \
    if (in->kind == PC_IN_CANCEL || (in->kind == PC_IN_EXIT && in->signal == 15)) return PC_OK
#include "right.h"
