#include <cstdlib>

#include <paperclip/cpp/metering.hpp>

// Lines of a program's output: whatever they are, what is charged is a plausible total that never
// shrinks.

using namespace paperclip::sdk;

namespace {

struct Seen {
    Usage last;
};

void on_usage(void* ctx, const pc_usage* usage) {
    Usage& last = static_cast<Seen*>(ctx)->last;
    const bool shrinks = usage->input_tokens < last.input_tokens ||
                         usage->cached_input_tokens < last.cached_input_tokens ||
                         usage->output_tokens < last.output_tokens ||
                         usage->cost_micros < last.cost_micros;
    const bool absurd =
        usage->input_tokens > Meter::k_max_tokens || usage->cost_micros > Meter::k_max_cost_micros;
    if (shrinks || absurd) std::abort();
    last.input_tokens = usage->input_tokens;
    last.cached_input_tokens = usage->cached_input_tokens;
    last.output_tokens = usage->output_tokens;
    last.cost_micros = usage->cost_micros;
}

void on_session(void*, pc_str json, pc_str) {
    if (!Json::parse(view(json))) std::abort();
}

pc_actions actions_for(Seen& seen) {
    pc_actions actions{};
    actions.struct_size = sizeof actions;
    actions.ctx = &seen;
    actions.log = [](void*, std::int32_t, pc_str) {};
    actions.usage = on_usage;
    actions.session = on_session;
    return actions;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    Seen seen;
    const pc_actions host = actions_for(seen);
    bool ended = false;
    Actions run(host, ended);
    Meter meter;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        meter.take_line(line, run);
    }
    const Result failed = Result::failed(PC_CLASS_AGENT_ERROR, "adapter_failed", "exit 1");
    if (meter.outcome(failed).error_class == PC_CLASS_OK) std::abort();
    const Result result = meter.outcome(Result::ok());
    if (!result.data.empty() && !Json::parse(result.data)) std::abort();
    return 0;
}
