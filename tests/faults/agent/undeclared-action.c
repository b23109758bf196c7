/* Asks for what its plugin.json does not name. */
#define ON_START(run, out)               \
    const pc_str id = PC_STR("\"s-1\""); \
    out->session(out->ctx, id, id);      \
    spawn_child(run, out)
#include "right.h"
