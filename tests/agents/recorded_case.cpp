#include "tests/agents/recorded_case.hpp"

#include <fstream>
#include <stdexcept>

#include <paperclip/cpp/json.hpp>

namespace paperclip::test {

using pluginhost::AgentInput;
using sdk::Json;
using sdk::JsonWriter;

namespace {

std::string_view take_word(std::string_view& rest) {
    const auto word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    return word;
}

int take_number(std::string_view& rest) {
    return std::stoi(std::string(take_word(rest)));
}

/// The rest of a line: as it is, or a JSON string.
std::string text_of(std::string_view rest) {
    const auto json = rest.starts_with('"') ? Json::parse(rest) : std::nullopt;
    return json ? json->text() : std::string(rest);
}

AgentInput read_input(std::string_view rest) {
    AgentInput input;
    const auto kind = take_word(rest);
    if (kind == "start") {
        input.kind = PC_IN_START;
    } else if (kind == "line") {
        input.kind = PC_IN_LINE;
        input.child = take_number(rest);
        input.stream = take_word(rest) == "err" ? PC_STREAM_ERR : PC_STREAM_OUT;
    } else if (kind == "exit") {
        input.kind = PC_IN_EXIT;
        input.child = take_number(rest);
        input.code = take_number(rest);
        if (!rest.empty()) input.signal = take_number(rest);
    } else if (kind == "head" || kind == "end") {
        input.kind = kind == "head" ? PC_IN_HTTP_HEAD : PC_IN_HTTP_END;
        input.id = static_cast<std::uint64_t>(take_number(rest));
        input.code = take_number(rest);
    } else if (kind == "body" || kind == "timer") {
        input.kind = kind == "body" ? PC_IN_HTTP_BODY : PC_IN_TIMER;
        input.id = static_cast<std::uint64_t>(take_number(rest));
    } else if (kind == "cancel") {
        input.kind = PC_IN_CANCEL;
        input.code = take_number(rest);
    } else if (kind == "recover") {
        input.kind = PC_IN_RECOVER;
    } else {
        throw std::runtime_error("unknown input " + std::string(kind));
    }
    input.text = text_of(rest);
    return input;
}

void read_setting(std::string_view line, pluginhost::AgentRequest& request, std::int64_t& now_us) {
    const auto name = take_word(line);
    const std::string value(line);
    if (name == "config") {
        request.config = value;
    } else if (name == "context") {
        request.context = value;
    } else if (name == "kind") {
        request.kind = std::stoi(value);
    } else if (name == "timeout") {
        request.timeout_sec = static_cast<std::uint32_t>(std::stoul(value));
    } else if (name == "now") {
        now_us = std::stoll(value);
    } else {
        throw std::runtime_error("unknown setting " + std::string(name));
    }
}

/// Writes an action's members; those with the default value are left out.
class Line {
 public:
    explicit Line(std::string_view name) : name_(name) { w_.begin_object(); }
    Line& add(std::string_view name, const std::string& value) {
        if (!value.empty()) w_.member(name, value);
        return *this;
    }
    Line& add(std::string_view name, std::int64_t value, std::int64_t usual = 0) {
        if (value != usual) w_.member(name, value);
        return *this;
    }
    Line& add(std::string_view name, const std::vector<std::string>& list) {
        if (list.empty()) return *this;
        w_.key(name).begin_array();
        for (const auto& text : list) w_.value(text);
        w_.end_array();
        return *this;
    }
    std::string text() { return std::string(name_) + " " + w_.end_object().take(); }

 private:
    std::string_view name_;
    JsonWriter w_;
};

struct Describe {
    std::string operator()(const pluginhost::SpawnAction& a) const {
        return Line("spawn")
            .add("child", a.child)
            .add("argv", a.argv)
            .add("environment", a.environment)
            .add("cwd", a.cwd)
            .add("input", a.input)
            .add("keepStdin", a.keep_stdin ? 1 : 0)
            .text();
    }
    std::string operator()(const pluginhost::StdinAction& a) const {
        return Line("stdin").add("child", a.child).add("bytes", a.bytes).text();
    }
    std::string operator()(const pluginhost::SignalAction& a) const {
        return Line("signal").add("child", a.child).add("signal", a.signal).text();
    }
    std::string operator()(const pluginhost::HttpAction& a) const {
        return Line("http")
            .add("id", static_cast<std::int64_t>(a.id))
            .add("method", a.method)
            .add("url", a.url)
            .add("headers", a.headers)
            .add("body", a.body)
            .add("timeoutMs", a.timeout_ms)
            .text();
    }
    std::string operator()(const pluginhost::TimerAction& a) const {
        return Line("timer")
            .add("id", static_cast<std::int64_t>(a.id))
            .add("milliseconds", a.milliseconds)
            .text();
    }
    std::string operator()(const pluginhost::LogAction& a) const {
        return Line("log").add("stream", a.stream).add("text", a.text).text();
    }
    std::string operator()(const pluginhost::SessionAction& a) const {
        return Line("session").add("json", a.json).add("displayId", a.display_id).text();
    }
    std::string operator()(const pluginhost::UsageAction& a) const {
        return Line("usage")
            .add("inputTokens", a.input_tokens)
            .add("cachedInputTokens", a.cached_input_tokens)
            .add("outputTokens", a.output_tokens)
            .add("costMicros", a.cost_micros, -1)
            .add("provider", a.provider)
            .add("biller", a.biller)
            .add("billingType", a.billing_type)
            .add("model", a.model)
            .text();
    }
    std::string operator()(const pluginhost::HandleAction& a) const {
        return Line("handle").add("bytes", a.bytes).text();
    }
    std::string operator()(const pluginhost::ResultAction& a) const {
        return Line("result")
            .add("class", a.error_class)
            .add("code", a.error_code)
            .add("message", a.message)
            .add("summary", a.summary)
            .add("data", a.data)
            .add("retryAt", a.retry_at_us)
            .add("clearSession", a.clear_session ? 1 : 0)
            .text();
    }
};

}  // namespace

std::string describe(const pluginhost::AgentAction& action) {
    return std::visit(Describe{}, action);
}

RecordedCase read_case(const std::filesystem::path& file) {
    RecordedCase recorded;
    auto& request = recorded.request;
    request.run_id = "run-1";
    request.agent_id = "agent-1";
    request.company_id = "company-1";
    request.cwd = "/work";
    request.api_url = "http://127.0.0.1:3100";
    std::ifstream in(file);
    if (!in) throw std::runtime_error("cannot open " + file.string());
    std::int64_t now_us = 1'800'000'000'000'000;
    int number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        const bool blank = line.empty() || line.starts_with('#');
        const bool begun = !recorded.exchanges.empty();
        try {
            if (line.starts_with("> ")) {
                recorded.exchanges.push_back(
                    {line, read_input(std::string_view(line).substr(2)), {}});
                recorded.exchanges.back().input.now = Time{Duration{now_us}};
            } else if (begun && !blank) {
                recorded.exchanges.back().expected.push_back(line);
            } else if (line.starts_with("refused ")) {
                recorded.expected.push_back(line);
            } else {
                recorded.head.push_back(line);
                if (!blank) read_setting(line, request, now_us);
            }
        } catch (const std::exception& e) {
            throw std::runtime_error(file.string() + ":" + std::to_string(number) + ": " +
                                     e.what());
        }
    }
    request.adapter_type = file.parent_path().parent_path().filename().string().substr(6);
    return recorded;
}

std::string write_case(const RecordedCase& recorded,
                       const std::vector<std::vector<std::string>>& actions) {
    std::string out;
    for (const auto& line : recorded.head) out += line + "\n";
    for (std::size_t i = 0; i < actions.size(); ++i) {
        if (i > 0) out += recorded.exchanges[i - 1].line + "\n";
        for (const auto& action : actions[i]) out += action + "\n";
    }
    return out;
}

}  // namespace paperclip::test
