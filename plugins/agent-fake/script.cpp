#include "script.hpp"

#include <array>
#include <optional>

namespace paperclip::fake {

using sdk::Json;

namespace {

constexpr std::string_view k_default = R"json([
  {"checkout": true},
  {"say": "Working on {{issue.identifier}}: {{issue.title}}"},
  {"comment": "Looked at {{issue.title}} and did what it asks for. (run {{run.id}})"},
  {"usage": {"inputTokens": 1200, "outputTokens": 300, "costUsd": 0.03,
             "provider": "paperclip", "model": "fake-1"}},
  {"status": "done"}
])json";

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
    throw sdk::Failure(PC_INVALID, "adapterConfig." + where + ": " + why);
}

std::string text_at(const std::string& where, const Json& value) {
    if (!value.is_string()) refuse(where, "expected a string");
    return value.text();
}

std::int64_t count_at(const std::string& where, const Json& value, std::int64_t most) {
    const auto count = value.integer();
    if (!count || *count < 0 || *count > most) {
        refuse(where, "expected a whole number from 0 to " + std::to_string(most));
    }
    return *count;
}

void must_be_true(const std::string& where, const Json& value) {
    if (value.boolean() != true) refuse(where, "expected true");
}

void must_be_object(const std::string& where, const Json& value) {
    if (!value.is_object()) refuse(where, "expected an object");
}

Step read_say(const std::string& where, const Json& value) {
    return Say{text_at(where, value)};
}

Step read_usage(const std::string& where, const Json& value) {
    constexpr std::int64_t k_most = 1'000'000'000;
    must_be_object(where, value);
    Use use;
    for (const auto& [name, member] : value.members()) {
        const std::string at = where + "." + name;
        if (name == "inputTokens") {
            use.usage.input_tokens = count_at(at, member, k_most);
        } else if (name == "cachedInputTokens") {
            use.usage.cached_input_tokens = count_at(at, member, k_most);
        } else if (name == "outputTokens") {
            use.usage.output_tokens = count_at(at, member, k_most);
        } else if (name == "costUsd") {
            const auto micros = member.fixed(6);
            if (!micros || *micros < 0 || *micros > k_most)
                refuse(at, "expected dollars from 0 to 1000");
            use.usage.cost_micros = *micros;
        } else if (name == "model") {
            use.usage.model = text_at(at, member);
        } else if (name == "provider") {
            use.usage.provider = text_at(at, member);
        } else {
            refuse(at,
                   "unknown; expected inputTokens, cachedInputTokens, outputTokens, costUsd, model "
                   "or provider");
        }
    }
    return use;
}

Step read_sleep(const std::string& where, const Json& value) {
    return Sleep{static_cast<std::uint32_t>(count_at(where, value, 86'400'000))};
}

Step read_exec(const std::string& where, const Json& value) {
    Exec exec;
    for (const auto& item : value.items()) {
        const std::string at = where + "[" + std::to_string(exec.argv.size()) + "]";
        exec.argv.push_back(text_at(at, item));
        if (exec.argv.back().find('\0') != std::string::npos)
            refuse(at, "must not hold a NUL character");
    }
    if (exec.argv.empty()) refuse(where, "expected a list of at least one string");
    return exec;
}

Step read_checkout(const std::string& where, const Json& value) {
    must_be_true(where, value);
    return Checkout{};
}

Step read_comment(const std::string& where, const Json& value) {
    return Comment{text_at(where, value)};
}

Step read_status(const std::string& where, const Json& value) {
    return SetStatus{text_at(where, value)};
}

Step read_create(const std::string& where, const Json& value) {
    must_be_object(where, value);
    for (const auto& [name, member] : value.members()) {
        if (name != "title" && name != "description" && name != "priority" &&
            name != "assigneeAgentId" && name != "status") {
            refuse(where + "." + name,
                   "unknown; expected title, description, priority, assigneeAgentId or status");
        }
        text_at(where + "." + name, member);
    }
    if (value["title"].text().empty())
        refuse(where + ".title", "expected a string that is not empty");
    return Create{std::string(value.raw())};
}

Step read_session(const std::string& where, const Json& value) {
    return KeepSession{text_at(where, value)};
}

std::int32_t class_at(const std::string& where, const std::string& word) {
    constexpr std::array<std::string_view, 12> k_words{
        "ok",        "agent_error", "auth",   "rate_limit", "quota",   "timeout",
        "cancelled", "lost",        "config", "max_turns",  "refusal", "internal"};
    for (std::size_t i = 1; i < k_words.size(); ++i) {
        if (k_words[i] == word) return static_cast<std::int32_t>(i);
    }
    refuse(where,
           "expected agent_error, auth, rate_limit, quota, timeout, cancelled, lost, config, "
           "max_turns, refusal or internal");
}

Step read_fail(const std::string& where, const Json& value) {
    must_be_object(where, value);
    Fail fail{.result =
                  sdk::Result::failed(PC_CLASS_AGENT_ERROR, "scripted", "The script says to fail")};
    for (const auto& [name, member] : value.members()) {
        const std::string at = where + "." + name;
        if (name == "class") {
            fail.result.error_class = class_at(at, text_at(at, member));
        } else if (name == "code") {
            fail.result.error_code = text_at(at, member);
        } else if (name == "message") {
            fail.result.message = text_at(at, member);
        } else if (name == "retryAfterSec") {
            fail.retry_after_sec = count_at(at, member, 31'536'000);
        } else {
            refuse(at, "unknown; expected class, code, message or retryAfterSec");
        }
    }
    return fail;
}

Step read_hang(const std::string& where, const Json& value) {
    must_be_true(where, value);
    return Hang{};
}

struct Kind {
    std::string_view name;
    Step (*read)(const std::string& where, const Json& value);
};
constexpr std::array<Kind, 11> k_kinds{{{"say", read_say},
                                        {"usage", read_usage},
                                        {"sleep", read_sleep},
                                        {"exec", read_exec},
                                        {"checkout", read_checkout},
                                        {"comment", read_comment},
                                        {"status", read_status},
                                        {"create", read_create},
                                        {"session", read_session},
                                        {"fail", read_fail},
                                        {"hang", read_hang}}};

void read_steps(const std::string& where, const Json& list, std::vector<Step>& script);

void read_repeat(const std::string& where, const Json& value, std::vector<Step>& script) {
    must_be_object(where, value);
    for (const auto& member : value.members()) {
        if (member.name != "times" && member.name != "steps") {
            refuse(where + "." + member.name, "unknown; expected times and steps");
        }
    }
    const auto times = count_at(where + ".times", value["times"], k_max_steps);
    std::vector<Step> steps;
    read_steps(where + ".steps", value["steps"], steps);
    for (std::int64_t i = 0; i < times; ++i) {
        if (script.size() + steps.size() > k_max_steps) {
            refuse(where, "the script has more than " + std::to_string(k_max_steps) + " steps");
        }
        script.insert(script.end(), steps.begin(), steps.end());
    }
}

void read_step(const std::string& where, const Json& value, std::vector<Step>& script) {
    must_be_object(where, value);
    const auto members = value.members();
    std::optional<bool> may_fail;
    std::size_t names = 0;
    for (const auto& member : members) {
        if (member.name == "mayFail") {
            may_fail = member.value.boolean();
            if (!may_fail) refuse(where + ".mayFail", "expected true or false");
            continue;
        }
        if (++names > 1) refuse(where, "expected one key, found " + member.name + " as well");
        if (member.name == "repeat") {
            read_repeat(where + ".repeat", member.value, script);
            continue;
        }
        const Kind* kind = nullptr;
        for (const Kind& known : k_kinds) {
            if (known.name == member.name) kind = &known;
        }
        if (kind == nullptr) {
            refuse(where + "." + member.name,
                   "unknown step; expected say, usage, sleep, exec, checkout, comment, status, "
                   "create, "
                   "session, fail, hang or repeat");
        }
        script.push_back(kind->read(where + "." + member.name, member.value));
    }
    if (names == 0) refuse(where, "expected one key, the name of a step");
    if (!may_fail) return;
    Exec* exec = script.empty() ? nullptr : std::get_if<Exec>(&script.back());
    if (exec == nullptr || value["repeat"]) refuse(where + ".mayFail", "stands with exec alone");
    exec->may_fail = *may_fail;
}

void read_steps(const std::string& where, const Json& list, std::vector<Step>& script) {
    if (!list.is_array()) refuse(where, "expected a list of steps");
    std::size_t number = 0;
    for (const auto& item : list.items()) {
        if (script.size() >= k_max_steps) {
            refuse(where, "the script has more than " + std::to_string(k_max_steps) + " steps");
        }
        read_step(where + "[" + std::to_string(number++) + "]", item, script);
    }
}

}  // namespace

Script read_script(std::string_view text) {
    const auto config = Json::parse(text);
    if (!config || !config->is_object()) {
        throw sdk::Failure(PC_INVALID, "adapterConfig: expected a JSON object");
    }
    for (const auto& member : config->members()) {
        if (member.name != "script" && member.name != "timeoutSec" && member.name != "graceSec") {
            refuse(member.name, "unknown; expected script, timeoutSec or graceSec");
        }
    }
    Script script;
    const Json steps = (*config)["script"];
    script.needs_issue = !steps;
    read_steps("script", steps ? steps : *Json::parse(k_default), script.steps);
    return script;
}

}  // namespace paperclip::fake
