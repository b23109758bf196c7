#include "rules.hpp"

#include <array>
#include <cstddef>

// What no good host does, and a plugin has to live through: a crash here is the finding.
namespace paperclip::check::agent {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    all.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

/// Opens, runs and cancels; what comes of it does not matter.
void live_through(const Loaded& loaded, const Request& request) {
    Play play(*loaded.agent, request);
    if (!play.is_open()) return;
    play.run(0, 20);
    if (play.results() == 0) play.cancel();
}

std::vector<std::string> hostile_texts() {
    return {"",
            std::string("a\0b", 3),
            "\xC3\x28 \xFF\xFE \xED\xA0\x80",
            std::string(1 << 20, 'x'),
            "{",
            "null",
            "[]",
            repeated("[", 100'000),
            repeated("{\"a\":", 100'000),
            "{\"a\":" + repeated("[", 500) + repeated("]", 500) + "}",
            "{" + repeated("\"k\":1,", 50'000) + "\"k\":2}",
            R"({"a":1e999999999999,"b":-0,"c":"\ud800"})"};
}

void check_request_sizes(const Context& context) {
    const Loaded loaded = load(context.manifest);
    for (const auto& type : context.manifest.adapter_types) {
        Request request = context.request(loaded, type);
        for (std::uint32_t size = offsetof(pc_request, adapter_type);
             size <= sizeof(pc_request) + 64; size += 8) {
            request.struct_size = size;
            live_through(loaded, request);
        }
    }
}

void check_request_texts(const Context& context) {
    const Loaded loaded = load(context.manifest);
    for (const auto& type : context.manifest.adapter_types) {
        for (const auto& text : hostile_texts()) {
            for (std::string Request::*member :
                 {&Request::config, &Request::context, &Request::prompt, &Request::session,
                  &Request::run_id}) {
                Request request = context.request(loaded, type);
                request.*member = text;
                live_through(loaded, request);
            }
        }
    }
}

void check_inputs(const Context& context) {
    const Loaded loaded = load(context.manifest);
    for (const auto& type : context.manifest.adapter_types) {
        const Request request = context.request(loaded, type);
        for (int kind = PC_IN_LINE; kind <= PC_IN_RECOVER; ++kind) {
            for (const auto& text : hostile_texts()) {
                Play play(*loaded.agent, request);
                if (!play.is_open()) return;
                play.run(0, 0);
                for (const int number : {1, 0, -1, 2'000'000'000}) {
                    play.give({.kind = kind,
                               .id = static_cast<std::uint64_t>(number),
                               .child = number,
                               .stream = number,
                               .code = number,
                               .signal = number,
                               .text = text});
                }
                if (play.results() == 0) play.cancel();
            }
        }
        Play play(*loaded.agent, request);
        for (std::uint32_t size = offsetof(pc_input, now_us); size <= sizeof(pc_input); size += 4) {
            play.give({.kind = PC_IN_LINE,
                       .child = 1,
                       .stream = 1,
                       .text = "short",
                       .struct_size = size});
        }
        play.give({.kind = PC_IN_START, .struct_size = sizeof(pc_input) + 64});
    }
}

void check_unknown_input(const Context& context) {
    const Loaded loaded = load(context.manifest);
    for (const auto& type : context.manifest.adapter_types) {
        Play play(*loaded.agent, context.request(loaded, type));
        if (!play.is_open()) return;
        for (const bool started : {false, true}) {
            if (started) play.run(0, 0);
            for (const int kind : {0, -1, PC_IN_RECOVER + 1, 99, INT32_MAX, INT32_MIN}) {
                const std::string before = play.transcript();
                play.give({.kind = kind, .id = 1, .child = 1, .text = "{}"});
                if (play.transcript() != before) {
                    throw Broken("expected that an input of the unknown kind " +
                                 std::to_string(kind) + " is ignored, found:\n" +
                                 play.transcript().substr(before.size()));
                }
            }
        }
    }
}

}  // namespace

std::vector<Rule> hostile_rules() {
    return {
        {{"agent.request_sizes", "A request of another size is read no further than it goes"},
         true,
         check_request_sizes},
        {{"agent.request_texts", "Any text in a request is lived through"},
         true,
         check_request_texts},
        {{"agent.inputs", "Any input is lived through"}, true, check_inputs},
        {{"agent.unknown_input", "Unknown kinds of input are ignored"}, true, check_unknown_input},
    };
}

}  // namespace paperclip::check::agent
