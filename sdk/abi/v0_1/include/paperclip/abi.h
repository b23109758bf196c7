/* Paperclip plugin ABI: what every plugin and the host share.
 *
 * A plugin is a shared library that exports one function, paperclip_plugin_v1(). Through the table
 * that it returns the host asks for interfaces by their string id ("paperclip.agent/1").
 * The rules that hold for everything here (ids, drafts, threads, ownership) are in CONVENTIONS.md;
 * the three that matter most:
 *
 *   - Every struct starts with struct_size, set by whoever fills it. Members are only appended:
 *     read a newer member only after PC_HAS().
 *   - Nobody frees the other side's memory. What a function is given is borrowed for the call;
 *     what a plugin returns is static const or goes through a pc_writer.
 *   - No exception, C++ type, FILE or errno crosses the line.
 *
 * Thread tags in brackets, such as [control], are defined in CONVENTIONS.md.
 */
#ifndef PAPERCLIP_ABI_H
#define PAPERCLIP_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PC_ABI_MAJOR 0
#define PC_ABI_MINOR 1

/* Is `member` of the sized struct at `p` there, as far as its maker knows it? */
#define PC_HAS(p, type, member) \
    ((p) != NULL && (p)->struct_size >= offsetof(type, member) + sizeof((p)->member))

/* UTF-8 or bytes, not NUL-terminated. `data` may be NULL only when `size` is 0. */
typedef struct pc_str {
    const char* data;
    uint64_t size;
} pc_str;

/* The outcome of a call. Values that are not listed are treated as PC_ERROR. */
typedef int32_t pc_status;
#define PC_OK 0
#define PC_ERROR 1       /* failed for good; pc_error says why */
#define PC_UNSUPPORTED 2 /* not offered by this plugin or host */
#define PC_INVALID 3     /* the caller broke a rule of the interface */
#define PC_CONFLICT 4    /* storage: a guard did not hold */
#define PC_CONSTRAINT 5  /* storage: a constraint of the schema was violated */
#define PC_RETRY 6       /* storage: nothing was changed; the same call may succeed now */
#define PC_FULL 7        /* storage: no space; nothing was changed */
#define PC_READ_ONLY 8   /* storage: cannot be written; nothing was changed */
#define PC_IO 9          /* storage: the device failed; nothing acknowledged is affected */
#define PC_CORRUPT 10    /* storage: the data is damaged */
#define PC_TIMEOUT 11    /* the deadline passed before the work began */
#define PC_CLOSED 12     /* the object is closed or closing */
#define PC_BUSY 13       /* somebody else holds it */

/* Filled by the side that fails, owned by the caller, nothing to release. */
typedef struct pc_error {
    uint32_t struct_size;
    int32_t code;      /* of the library beneath, 0 if none */
    char message[504]; /* UTF-8, NUL-terminated, no secrets */
} pc_error;

/* Takes bytes; copies them before it returns. May be called several times. */
typedef struct pc_writer {
    uint32_t struct_size;
    uint32_t reserved;
    void* ctx;
    void (*write)(void* ctx, pc_str bytes);
} pc_writer;

#define PC_LOG_DEBUG 0
#define PC_LOG_INFO 1
#define PC_LOG_WARN 2
#define PC_LOG_ERROR 3

/* What the host gives at init. Lives until deinit returns. */
typedef struct pc_host {
    uint32_t struct_size;
    uint16_t abi_major;
    uint16_t abi_minor;
    void* ctx;
    /* Writes a line to the engine's log, under the plugin's id; never blocks. [any] */
    void (*log)(void* ctx, int32_t level, pc_str message);
    /* A service by its string id, or NULL; its type is named where the id is defined. [control] */
    const void* (*service)(void* ctx, pc_str id);
} pc_host;

/* What a plugin is. Static and constant. */
typedef struct pc_plugin {
    uint32_t struct_size;
    uint16_t abi_major; /* PC_ABI_MAJOR and PC_ABI_MINOR of the headers it was built with */
    uint16_t abi_minor;
    pc_str id;      /* as in plugin.json */
    pc_str version; /* as in plugin.json */
    /* Called once, before anything else. A plugin that fails is not used. [control] */
    pc_status (*init)(const pc_host* host, pc_error* error);
    /* Called once, last; every object is closed by then. The library stays mapped. [control] */
    void (*deinit)(void);
    /* The table of an interface by its string id, static and constant, or NULL. [any] */
    const void* (*interface_of)(pc_str id);
} pc_plugin;

/* The one exported function: no side effects, never NULL. The major version of the ABI is in its
 * name; while the major is 0 the interfaces are drafts and the name is already _v1's. */
#if defined(_WIN32)
#define PC_EXPORT __declspec(dllexport)
#else
#define PC_EXPORT __attribute__((visibility("default")))
#endif
PC_EXPORT const pc_plugin* paperclip_plugin_v1(void);

#ifdef __cplusplus
}
#endif

#endif
