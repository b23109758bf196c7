#include <cstdio>
#include <cstdlib>

#include <agent/play.hpp>
#include <paperclip/cpp/json.hpp>
#include <paperclip/cpp/plugin.hpp>

// A run of the agent plugin that is linked with this file, from a text in the form of a recorded
// case (tests/agents): lines of settings, inputs behind '>'; anything else is passed over.

using namespace paperclip;
using check::agent::Input;
using check::agent::Play;
using check::agent::Request;

namespace {

[[noreturn]] void broken(const char* what, const Play& play) {
    std::fprintf(stderr, "%s\n%s", what, play.transcript().c_str());
    std::abort();
}

std::string_view take_word(std::string_view& rest) {
    const auto word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    return word;
}

std::int32_t take_number(std::string_view& rest) {
    const std::string word(take_word(rest));
    return static_cast<std::int32_t>(std::strtol(word.c_str(), nullptr, 10));
}

Input read_input(std::string_view rest) {
    struct Kind {
        std::string_view name;
        std::int32_t kind;
    };
    constexpr Kind k_kinds[] = {
        {"start", PC_IN_START},    {"line", PC_IN_LINE},      {"exit", PC_IN_EXIT},
        {"head", PC_IN_HTTP_HEAD}, {"body", PC_IN_HTTP_BODY}, {"end", PC_IN_HTTP_END},
        {"timer", PC_IN_TIMER},    {"cancel", PC_IN_CANCEL},  {"recover", PC_IN_RECOVER}};
    Input input;
    const auto word = take_word(rest);
    for (const Kind& kind : k_kinds) {
        if (kind.name == word) input.kind = kind.kind;
    }
    if (input.kind == PC_IN_CANCEL) {
        input.code = take_number(rest);
    } else if (input.kind != PC_IN_START && input.kind != PC_IN_RECOVER) {
        input.child = take_number(rest);
        input.id = static_cast<std::uint64_t>(input.child);
    }
    if (input.kind == PC_IN_LINE) {
        input.stream = take_word(rest) == "err" ? PC_STREAM_ERR : PC_STREAM_OUT;
    } else if (input.kind == PC_IN_EXIT || input.kind == PC_IN_HTTP_HEAD ||
               input.kind == PC_IN_HTTP_END) {
        input.code = take_number(rest);
    }
    if (input.kind == PC_IN_EXIT && input.code < 0) input.signal = take_number(rest);
    const auto json = rest.starts_with('"') ? sdk::Json::parse(rest) : std::nullopt;
    input.text = json ? json->text() : std::string(rest);
    return input;
}

struct Script {
    Request request;
    std::vector<Input> inputs;
};

Script read_script(std::string_view text) {
    Script script;
    script.request.context = "{}";
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const auto word = take_word(line);
        if (word == ">") script.inputs.push_back(read_input(line));
        if (word == "config") script.request.config = line;
        if (word == "context") script.request.context = line;
        if (word == "kind") script.request.kind = take_number(line);
    }
    return script;
}

void must_be_sound(const Play& play) {
    if (play.results() > 1) broken("more than one RESULT", play);
    if (!play.malformed().empty()) broken(play.malformed().c_str(), play);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto* agent = static_cast<const pc_agent*>(
        paperclip_plugin_v1()->interface_of(sdk::str(PC_AGENT_INTERFACE)));
    const Script script = read_script({reinterpret_cast<const char*>(data), size});
    Play play(*agent, script.request);
    if (!play.is_open()) return 0;
    for (const auto& input : script.inputs) {
        const bool over = play.results() > 0;
        if (play.give(input) > 0 && over) broken("an action after RESULT", play);
        must_be_sound(play);
    }
    play.cancel();
    must_be_sound(play);
    if (play.results() == 0) broken("no RESULT after CANCEL", play);
    return 0;
}
