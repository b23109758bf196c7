/* Conveniences for plugins written in C; those in C++ include paperclip/cpp/agent.hpp instead. */
#ifndef PAPERCLIP_PLUGIN_H
#define PAPERCLIP_PLUGIN_H

#include "abi.h"

#include <string.h>

/* Initializes a pc_str: pc_str name = PC_STR("text"); */
#define PC_STR(literal) \
    { literal, sizeof(literal) - 1 }

static inline int pc_equal(pc_str text, const char* word) {
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static inline pc_status pc_write(const pc_writer* out, const char* text) {
    const pc_str bytes = {text, strlen(text)};
    out->write(out->ctx, bytes);
    return PC_OK;
}

/* Exports a plugin that needs nothing of the host: PC_PLUGIN("agent-echo", "1.0.0", interface_of)
 */
#define PC_PLUGIN(id_, version_, interface_of_)                                               \
    static pc_status pc_plugin_init(const pc_host* host, pc_error* error) {                   \
        (void)host;                                                                           \
        (void)error;                                                                          \
        return PC_OK;                                                                         \
    }                                                                                         \
    static void pc_plugin_deinit(void) {}                                                     \
    const pc_plugin* paperclip_plugin_v1(void) {                                              \
        static const pc_plugin plugin = {sizeof(pc_plugin), PC_ABI_MAJOR,     PC_ABI_MINOR,   \
                                         PC_STR(id_),       PC_STR(version_), pc_plugin_init, \
                                         pc_plugin_deinit,  interface_of_};                   \
        return &plugin;                                                                       \
    }                                                                                         \
    const pc_plugin* paperclip_plugin_v1(void)

#endif
