/* Needs a function of the program that loads it. */
#include <paperclip/abi.h>
void paperclip_engine_internal(void);
#define ON_START(run, out)       \
    paperclip_engine_internal(); \
    spawn_child(run, out)
#include "right.h"
