#include "engine/runs/session_files.hpp"

#include "engine/base/error.hpp"
#include "engine/base/json.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fcntl.h>
#include <limits>

#include <boost/json.hpp>

namespace paperclip::runs {

namespace fs = std::filesystem;
namespace json = boost::json;
using pluginhost::AgentInput;
using pluginhost::AgentRequest;
using pluginhost::ProcessIdentity;

namespace {

const std::string k_child = "child-";
constexpr const char* k_recoveries = "recoveries";  // a byte for each that was begun
constexpr int k_max_recoveries = 5;
constexpr std::size_t k_max_file = 512 << 20;

std::string text_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string()
               ? std::string(value->get_string().c_str(), value->get_string().size())
               : std::string();
}

std::int64_t number_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

/// Bytes that need not be UTF-8 (an HTTP body): as they are when they are text, else in hex.
std::string armour(std::string_view bytes) {
    std::string out = "x";
    static constexpr char k_hex[] = "0123456789abcdef";
    for (const char c : bytes) {
        out += k_hex[static_cast<unsigned char>(c) >> 4];
        out += k_hex[static_cast<unsigned char>(c) & 15];
    }
    return out;
}

std::string unarmour(std::string_view text) {
    std::string out;
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t i = 1; i + 1 < text.size(); i += 2) {
        out += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
    }
    return out;
}

AgentRequest request_of(const json::object& object) {
    AgentRequest request;
    request.kind = static_cast<int>(number_of(object, "kind"));
    request.adapter_type = text_of(object, "adapterType");
    request.run_id = text_of(object, "runId");
    request.agent_id = text_of(object, "agentId");
    request.company_id = text_of(object, "companyId");
    request.config = text_of(object, "config");
    request.context = text_of(object, "context");
    request.prompt = text_of(object, "prompt");
    request.cwd = text_of(object, "cwd");
    request.session = text_of(object, "session");
    request.api_url = text_of(object, "apiUrl");
    for (const auto& text : object.at("environment").as_array()) {
        request.environment.emplace_back(text.as_string().c_str());
    }
    request.timeout_sec = static_cast<std::uint32_t>(number_of(object, "timeoutSec"));
    request.grace_sec = static_cast<std::uint32_t>(number_of(object, "graceSec"));
    request.budget_micros = number_of(object, "budgetMicros");
    return request;
}

}  // namespace

InputFile::InputFile(const fs::path& folder) {
    const fs::path file = folder / k_name;
    if (fs::exists(file)) load(file);
    file_.reset(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!file_) throw system_error(ErrorKind::unavailable, "cannot open " + file.string(), errno);
}

void InputFile::load(const fs::path& file) {
    const std::string text = read_file(file, k_max_file);
    std::string_view rest = text;
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
        load_line(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
}

void InputFile::load_line(std::string_view line) {
    const auto value = parse_json(line);
    const auto& object = value.as_object();
    if (object.contains("sent")) {
        sent_.insert(static_cast<std::uint64_t>(number_of(object, "sent")));
        return;
    }
    if (const auto* request = object.if_contains("request")) {
        request_ = request_of(request->as_object());
        return;
    }
    if (object.contains("process")) {
        processes_[static_cast<int>(number_of(object, "process"))] = {
            number_of(object, "pid"), number_of(object, "ticks"), text_of(object, "boot")};
        return;
    }
    Entry entry;
    entry.input.kind = static_cast<int>(number_of(object, "kind"));
    entry.input.now = Time{Duration{number_of(object, "now")}};
    entry.input.id = static_cast<std::uint64_t>(number_of(object, "id"));
    entry.input.child = static_cast<int>(number_of(object, "child"));
    entry.input.code = static_cast<int>(number_of(object, "code"));
    entry.input.signal = static_cast<int>(number_of(object, "signal"));
    entry.input.text = unarmour(text_of(object, "text"));
    for (const auto& [child, offset] : object.at("at").as_object()) {
        entry.offsets[std::stoi(std::string(child))] = offset.as_int64();
    }
    entries_.push_back(std::move(entry));
}

void InputFile::append(const AgentInput& input, const std::map<int, std::int64_t>& offsets) {
    std::string line;
    JsonWriter w(line);
    w.begin_object().member("kind", input.kind);
    w.member("now", std::int64_t{input.now.time_since_epoch().count()});
    w.member("id", static_cast<std::int64_t>(input.id)).member("child", input.child);
    w.member("code", input.code).member("signal", input.signal).member("text", armour(input.text));
    w.key("at").begin_object();
    for (const auto& [child, offset] : offsets) w.member(std::to_string(child), offset);
    w.end_object().end_object();
    write(line);
}

void InputFile::note_sent(std::uint64_t id) {
    write("{\"sent\":" + std::to_string(id) + "}");
}

void InputFile::keep_request(const AgentRequest& request) {
    std::string out;
    JsonWriter w(out);
    w.begin_object().key("request").begin_object();
    w.member("kind", request.kind).member("adapterType", request.adapter_type);
    w.member("runId", request.run_id).member("agentId", request.agent_id);
    w.member("companyId", request.company_id).member("config", request.config);
    w.member("context", request.context).member("prompt", request.prompt);
    w.member("cwd", request.cwd).member("session", request.session);
    w.member("apiUrl", request.api_url).key("environment").begin_array();
    for (const auto& text : request.environment) w.value(text);
    w.end_array().member("timeoutSec", static_cast<std::int64_t>(request.timeout_sec));
    w.member("graceSec", static_cast<std::int64_t>(request.grace_sec));
    w.member("budgetMicros", request.budget_micros).end_object().end_object();
    write(out);
}

void InputFile::keep_process(int child, const ProcessIdentity& process) {
    std::string line;
    JsonWriter w(line);
    w.begin_object().member("process", child).member("pid", process.pid);
    w.member("ticks", process.start_ticks).member("boot", process.boot_id).end_object();
    write(line);
}

const AgentRequest& InputFile::request() const {
    if (request_) return *request_;
    throw Error(ErrorKind::internal, "the run's folder has no request");
}

std::optional<ProcessIdentity> InputFile::process(int child) const {
    const auto found = processes_.find(child);
    if (found == processes_.end()) return std::nullopt;
    return found->second;
}

void InputFile::write(const std::string& line) {
    write_all(file_.get(), line + "\n", "a run's inputs");
}

fs::path child_folder(const fs::path& run_folder, int child) {
    return run_folder / (k_child + std::to_string(child));
}

std::optional<int> child_of(const fs::path& child_folder) {
    const std::string name = child_folder.filename();
    if (!name.starts_with(k_child)) return std::nullopt;
    return std::atoi(name.c_str() + k_child.size());
}

bool count_recovery(const fs::path& folder) {
    const UniqueFd fd(
        ::open((folder / k_recoveries).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (fd) write_all(fd.get(), ".", "a run's recoveries");
    std::error_code error;
    const auto count = fs::file_size(folder / k_recoveries, error);
    return error || count <= k_max_recoveries;
}

void forget_recoveries(const fs::path& folder) {
    std::error_code ignored;
    fs::remove(folder / k_recoveries, ignored);
}

void apply_common_config(AgentRequest& request) {
    const auto value = parse_json(request.config);
    if (!value.is_object()) return;
    // A part of a second counts as one: rounded down, 0.5 would be no limit at all.
    const auto seconds = [&](std::string_view name) {
        constexpr double k_most = std::numeric_limits<std::uint32_t>::max();
        const auto* number = value.get_object().if_contains(name);
        if (number == nullptr || !number->is_number()) return std::uint32_t{0};
        return static_cast<std::uint32_t>(
            std::clamp(std::ceil(number->to_number<double>()), 0.0, k_most));
    };
    const std::uint32_t timeout = seconds("timeoutSec");
    const std::uint32_t grace = seconds("graceSec");
    if (timeout > 0 && (request.timeout_sec == 0 || timeout < request.timeout_sec)) {
        request.timeout_sec = timeout;
    }
    if (grace > 0) request.grace_sec = grace;
}

std::string describe_invocation(const pluginhost::SpawnAction& action, const std::string& adapter,
                                const Redactor& redactor) {
    std::string out;
    JsonWriter w(out);
    w.begin_object().member("adapterType", adapter).member("command", action.argv.front());
    w.key("commandArgs").begin_array();
    for (std::size_t i = 1; i < action.argv.size(); ++i) w.value(redactor.scrub(action.argv[i]));
    w.end_array().member("cwd", action.cwd).key("env").begin_object();
    for (std::size_t i = 0; i + 1 < action.environment.size(); i += 2) {
        const auto& name = action.environment[i];
        const auto& value = action.environment[i + 1];
        const bool secret = is_secret_name(name) || value.starts_with("{\"$secret\"");
        w.member(name, secret ? std::string(Redactor::k_mask) : redactor.scrub(value));
    }
    w.member("PAPERCLIP_API_KEY", Redactor::k_mask).end_object().end_object();
    return out;
}

}  // namespace paperclip::runs
