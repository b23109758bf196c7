/* No entry. */
#define NO_ENTRY
#include "right.h"
PC_EXPORT const void* paperclip_plugin_v2(void);
const void* paperclip_plugin_v2(void) {
    return interface_of((pc_str)PC_STR(PC_AGENT_INTERFACE));
}
