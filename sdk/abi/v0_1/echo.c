/* As built for ABI 0.1: stays as it is, and must run under every later host of major 0. */
#include <paperclip/draft/agent.h>
#include <paperclip/plugin.h>
#include <stdlib.h>

struct pc_run {
    int over;
};

static pc_status describe(const pc_writer* out, pc_error* error) {
    (void)error;
    return pc_write(out, "{\"adapterTypes\":[{\"type\":\"echo_v0_1\",\"label\":\"Echo of ABI 0.1\"}]}");
}
static pc_status config_schema(pc_str type, const pc_writer* out, pc_error* error) {
    (void)error;
    return pc_equal(type, "echo_v0_1") ? pc_write(out, "{\"type\":\"object\"}") : PC_UNSUPPORTED;
}
static pc_status open_run(const pc_request* request, pc_run** run, pc_error* error) {
    (void)request, (void)error;
    return (*run = calloc(1, sizeof(pc_run))) != NULL ? PC_OK : PC_ERROR;
}
static void close_run(pc_run* run) {
    free(run);
}
static pc_status step(pc_run* run, const pc_input* in, const pc_actions* out) {
    pc_result result = {.struct_size = sizeof result, .summary = PC_STR("Hello from ABI 0.1")};
    if (run->over || (in->kind != PC_IN_START && in->kind != PC_IN_CANCEL)) return PC_OK;
    if (in->kind == PC_IN_CANCEL) result.error_class = PC_CLASS_CANCELLED;
    run->over = 1; /* one result; every input after it is ignored */
    out->result(out->ctx, &result);
    return PC_OK;
}
static const pc_agent k_agent = {sizeof(pc_agent), 0,         describe, config_schema,
                                 open_run,         close_run, step};
static const void* interface_of(pc_str id) {
    return pc_equal(id, PC_AGENT_INTERFACE) ? &k_agent : NULL;
}
PC_PLUGIN("echo-v0_1", "0.1.0", interface_of);
