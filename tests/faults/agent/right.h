/* An agent that keeps every rule. Each wrong plugin beside this file defines one of the macros
 * below, to break one, and includes it. PLUGIN_ID comes from the build. */
#include <paperclip/draft/agent.h>
#include <paperclip/plugin.h>
#include <stdlib.h>

#ifndef DESCRIPTION
#define DESCRIPTION "{\"adapterTypes\":[{\"type\":\"" PLUGIN_ID "\",\"label\":\"Wrong\"}]}"
#endif
#ifndef SCHEMA
#define SCHEMA "{\"type\":\"object\"}"
#endif
#ifndef IS_TYPE
#define IS_TYPE(type) pc_equal(type, PLUGIN_ID)
#endif
#ifndef IS_INTERFACE
#define IS_INTERFACE(id) pc_equal(id, PC_AGENT_INTERFACE)
#endif
#ifndef ON_OPEN
#define ON_OPEN(request, run) (void)request
#endif
#ifndef ON_STEP /* before an input is taken */
#define ON_STEP(run, in, out) (void)0
#endif
#ifndef ON_START
#define ON_START(run, out) spawn_child(run, out)
#endif
#ifndef ON_CANCEL
#define ON_CANCEL(run, out) \
    run->cancelled = 1;     \
    if (!run->alive) finish(run, out)
#endif
#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof(pc_agent)
#endif
#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION "1.0.0"
#endif

struct pc_run {
    int over, alive, cancelled;
    uint64_t prompt_size;
};

static void give_result(const pc_actions* out, int32_t error_class) {
    pc_result result = {.struct_size = sizeof result, .error_class = error_class};
    out->result(out->ctx, &result);
}

static inline void finish(pc_run* run, const pc_actions* out) {
    run->over = 1;
    give_result(out, run->cancelled ? PC_CLASS_CANCELLED : PC_CLASS_OK);
}

static inline void spawn_child(pc_run* run, const pc_actions* out) {
    static const pc_str argv[] = {PC_STR("true")};
    pc_spawn spawn = {.struct_size = sizeof spawn, .child = 1, .argv = argv, .argc = 1};
    if (!run->alive) out->spawn(out->ctx, &spawn);
    run->alive = 1;
}

static inline void say(const pc_actions* out, const char* text) {
    const pc_str line = {text, strlen(text)};
    out->log(out->ctx, 0, line);
}

static pc_status describe(const pc_writer* out, pc_error* error) {
    (void)error;
    return pc_write(out, DESCRIPTION);
}

static pc_status config_schema(pc_str type, const pc_writer* out, pc_error* error) {
    (void)error;
    (void)type;
    return IS_TYPE(type) ? pc_write(out, SCHEMA) : PC_UNSUPPORTED;
}

static pc_status open_run(const pc_request* request, pc_run** out, pc_error* error) {
    pc_run* run = calloc(1, sizeof *run);
    (void)error;
    if (run == NULL) return PC_ERROR;
    if (PC_HAS(request, pc_request, prompt)) run->prompt_size = request->prompt.size;
    *out = run;
    ON_OPEN(request, run);
    return PC_OK;
}

static void close_run(pc_run* run) {
    free(run);
}

static pc_status step(pc_run* run, const pc_input* in, const pc_actions* out) {
    ON_STEP(run, in, out);
    if (run->over) return PC_OK;
    if (in->kind == PC_IN_START) {
        ON_START(run, out);
    } else if (in->kind == PC_IN_EXIT && run->alive) {
        run->alive = 0;
        finish(run, out);
    } else if (in->kind == PC_IN_CANCEL) {
        ON_CANCEL(run, out);
    }
    return PC_OK;
}

static const void* interface_of(pc_str id) {
    static const pc_agent agent = {TABLE_SIZE, 0,         describe, config_schema,
                                   open_run,   close_run, step};
    return IS_INTERFACE(id) ? &agent : NULL;
}

#ifndef NO_ENTRY
PC_PLUGIN(PLUGIN_ID, PLUGIN_VERSION, interface_of);
#endif
