#include "words.hpp"

#include <paperclip/cpp/metering.hpp>
#include <paperclip/cpp/process_agent.hpp>

// Runs a program as an agent, without a shell. See README.md.
namespace paperclip::process {
namespace {

constexpr sdk::AdapterType k_type{.type = "process",
                                  .label = "Process",
                                  .capabilities = R"({"models":false,"sessions":true})",
                                  .config_schema = R"({
  "type": "object",
  "required": ["command"],
  "properties": {
    "command": {"type": "string", "minLength": 1, "title": "Command",
                "description": "Program to run: a path, or a name that is looked for in PATH"},
    "args": {"title": "Arguments", "anyOf": [
      {"type": "array", "items": {"type": "string"}}, {"type": "string"}],
      "description": "A list; or one line, split at spaces outside quotes. No shell is involved"},
    "cwd": {"type": "string", "title": "Working folder"},
    "env": {"type": "object", "title": "Environment"},
    "timeoutSec": {"type": "number", "minimum": 0, "title": "Timeout in seconds, 0 for none"},
    "graceSec": {"type": "number", "minimum": 0, "title": "Seconds between TERM and KILL"}
  }
})"};

[[noreturn]] void refuse(const std::string& field, const std::string& why) {
    throw sdk::Failure(PC_INVALID, "adapterConfig." + field + ": " + why);
}

/// Text that can be passed to a program: C ends it at the first NUL.
std::string argument(const std::string& field, const sdk::Json& value) {
    std::string text = value.text();
    if (!value.is_string()) refuse(field, "expected a string");
    if (text.find('\0') != std::string::npos) refuse(field, "must not hold a NUL character");
    return text;
}

std::vector<std::string> arguments(const sdk::Json& value) {
    std::vector<std::string> list;
    if (value.is_string()) {
        auto words = split_words(argument("args", value));
        if (!words) refuse("args", "a quote is not closed, or the line ends in a backslash");
        return std::move(*words);
    }
    if (value && !value.is_null() && !value.is_array()) {
        refuse("args", "expected a list of strings, or one string");
    }
    for (const auto& item : value.items()) {
        list.push_back(argument("args[" + std::to_string(list.size()) + "]", item));
    }
    return list;
}

/// A variable as the configuration has it: a string, {"type":"plain","value":…}, or {"$secret":…},
/// which the host resolves.
std::string variable(const std::string& field, const sdk::Json& value) {
    if (value["$secret"].is_string()) {
        sdk::JsonWriter w;
        return w.begin_object().member("$secret", value["$secret"].text()).end_object().take();
    }
    if (value.is_object() && value["type"].text() == "plain")
        return variable(field, value["value"]);
    if (value.is_number() || value.boolean()) return std::string(value.raw());
    if (!value.is_string()) {
        refuse(field, R"(expected a string, {"type":"plain","value":"…"} or {"$secret":"NAME"})");
    }
    std::string text = argument(field, value);
    if (text.starts_with("{\"$secret\"")) refuse(field, "a secret is an object, not a string");
    return text;
}

std::vector<std::string> environment(const sdk::Request& request, const sdk::Json& env) {
    std::vector<std::string> list;
    for (const auto text : request.environment) list.emplace_back(text);
    for (const auto& [name, value] : env.members()) {
        if (name.empty() || name.find('=') != std::string::npos || sdk::has_control(name)) {
            refuse("env." + name, "expected the name of an environment variable");
        }
        // The engine's own; a configuration cannot pass for it.
        if (name.starts_with("PAPERCLIP_")) continue;
        list.push_back(name);
        list.push_back(variable("env." + name, value));
    }
    return list;
}

std::string folder(const sdk::Request& request, const sdk::Json& value) {
    if (!value || value.is_null()) return std::string(request.cwd);
    const std::string path = argument("cwd", value);
    if (path.empty()) return std::string(request.cwd);
    return path.starts_with('/') ? path : std::string(request.cwd) + "/" + path;
}

sdk::Spawn read_config(const sdk::Request& request) {
    const auto config = sdk::Json::parse(request.config);
    if (!config || !config->is_object()) {
        throw sdk::Failure(PC_INVALID, "adapterConfig: expected a JSON object");
    }
    sdk::Spawn spawn;
    spawn.argv.push_back(argument("command", (*config)["command"]));
    if (spawn.argv.front().empty()) refuse("command", "must not be empty");
    for (auto& text : arguments((*config)["args"])) spawn.argv.push_back(std::move(text));
    spawn.environment = environment(request, (*config)["env"]);
    spawn.cwd = folder(request, (*config)["cwd"]);
    return spawn;
}

class Process : public sdk::ProcessAgent {
 public:
    explicit Process(const sdk::Request& request)
        : sdk::ProcessAgent(request), spawn_(read_config(request)) {}

 protected:
    sdk::Spawn command(const sdk::Request&) override { return spawn_; }

    void line(sdk::Actions& run, std::int32_t stream, std::string_view text) override {
        if (stream == PC_STREAM_OUT && meter_.take_line(text, run)) return;
        (stream == PC_STREAM_ERR ? errors_ : output_).add_line(text);
    }

    /// The program's own word decides, but for a success that its exit status denies.
    sdk::Result exit(const sdk::Exit& exit) override {
        return meter_.outcome(sdk::ProcessAgent::exit(exit));
    }

    void complete(sdk::Result& result) override {
        const bool timed_out = result.error_class == PC_CLASS_TIMEOUT;
        const auto limit = request().timeout_sec;
        sdk::JsonWriter w;
        w.begin_object().member("stdout", output_.text()).member("stderr", errors_.text());
        w.member("stopReason", stop_reason(result.error_class)).member("timeoutFired", timed_out);
        w.member("timeoutSource", limit > 0 ? "config" : "default");
        w.member("timeoutConfigured", limit > 0).member("effectiveTimeoutSec", limit);
        if (!result.data.empty()) w.key("data").raw(result.data);
        result.data = w.end_object().take();
    }

    std::string probe() override {
        sdk::JsonWriter w;
        w.begin_array().begin_object().member("code", "process_command_present");
        w.member("level", "info").member("message", "Configured command: " + spawn_.argv.front());
        return w.end_object().end_array().take();
    }

 private:
    static const char* stop_reason(std::int32_t error_class) {
        switch (error_class) {
            case PC_CLASS_OK:
                return "completed";
            case PC_CLASS_TIMEOUT:
                return "timeout";
            case PC_CLASS_CANCELLED:
                return "cancelled";
            default:
                return "adapter_failed";
        }
    }

    const sdk::Spawn spawn_;
    sdk::Meter meter_;
    sdk::Tail output_;
    sdk::Tail errors_;
};

}  // namespace
}  // namespace paperclip::process

PAPERCLIP_AGENT(paperclip::process::Process, "agent-process", "0.1.0", paperclip::process::k_type)
