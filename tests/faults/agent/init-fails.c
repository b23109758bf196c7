/* Says at init that it cannot work. */
#define NO_ENTRY
#include "right.h"
static pc_status init(const pc_host* host, pc_error* error) {
    (void)host;
    strcpy(error->message, "no licence");
    return PC_ERROR;
}
static void deinit(void) {}
const pc_plugin* paperclip_plugin_v1(void) {
    static const pc_plugin plugin = {sizeof plugin,   PC_ABI_MAJOR, PC_ABI_MINOR, PC_STR(PLUGIN_ID),
                                     PC_STR("1.0.0"), init,         deinit,       interface_of};
    return &plugin;
}
