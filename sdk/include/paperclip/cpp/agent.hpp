#pragma once

#include "../draft/agent.h"
#include "json.hpp"
#include "plugin.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// An agent plugin in C++: derive from Agent (or from ProcessAgent, for a command-line tool),
// describe it with an AdapterType, register both with PAPERCLIP_AGENT. No exception leaves the
// plugin.
namespace paperclip::sdk {

/// What a run was opened with: pc_request with views, which live as long as the run.
struct Request {
    std::int32_t kind = PC_START_RUN;
    std::string_view adapter_type;
    std::string_view run_id;
    std::string_view agent_id;
    std::string_view company_id;
    std::string_view config;
    std::string_view context;
    std::string_view prompt;
    std::string_view cwd;
    std::string_view session;
    std::string_view api_url;
    std::vector<std::string_view> environment;  ///< name, value, …
    std::uint32_t timeout_sec = 0;
    std::uint32_t grace_sec = 0;
    std::int64_t budget_micros = -1;

    /// The value of an environment variable; the last one counts.
    [[nodiscard]] std::optional<std::string_view> variable(std::string_view name) const {
        std::optional<std::string_view> found;
        for (std::size_t i = 0; i + 1 < environment.size(); i += 2) {
            if (environment[i] == name) found = environment[i + 1];
        }
        return found;
    }
};

/// pc_input with a view that is borrowed for the call.
struct Input {
    std::int32_t kind = 0;
    std::int64_t now_us = 0;
    std::uint64_t id = 0;
    std::int32_t child = 0;
    std::int32_t stream = 0;
    std::int32_t code = 0;
    std::int32_t signal = 0;
    std::string_view text;
};

// The larger actions with owned text; draft/agent.h has what the members mean.

struct Spawn {
    std::int32_t child = 1;
    std::vector<std::string> argv = {};
    std::vector<std::string> environment = {};  ///< name, value, …
    std::string cwd = {};
    std::string input = {};
    bool keep_stdin = false;
};

struct Http {
    std::uint64_t id = 1;
    std::string method = "GET";
    std::string url = {};
    std::vector<std::string> headers = {};  ///< name, value, …
    std::string body = {};
    std::uint32_t timeout_ms = 0;
};

struct Usage {
    std::int64_t input_tokens = 0;
    std::int64_t cached_input_tokens = 0;
    std::int64_t output_tokens = 0;
    std::int64_t cost_micros = -1;
    std::string provider = {};
    std::string biller = {};
    std::string billing_type = {};
    std::string model = {};
};

struct Result {
    std::int32_t error_class = PC_CLASS_OK;
    std::string error_code = {};
    std::string message = {};
    std::string summary = {};
    std::string data = {};  ///< JSON object, or empty
    std::int64_t retry_at_us = 0;
    bool clear_session = false;

    static Result ok(std::string summary = {}) { return {.summary = std::move(summary)}; }
    static Result failed(std::int32_t error_class, std::string code, std::string message) {
        return {.error_class = error_class,
                .error_code = std::move(code),
                .message = std::move(message)};
    }
};

/// What a step asks the host to do, in order. Lives for one step. After result() everything is
/// dropped: a run has one result, and it is last.
class Actions {
 public:
    Actions(const pc_actions& host, bool& ended) noexcept : host_(host), ended_(ended) {}

    [[nodiscard]] bool ended() const noexcept { return ended_; }

    void spawn(const Spawn& spawn) {
        const auto argv = strs(spawn.argv);
        const auto environment = strs(spawn.environment);
        const pc_spawn c = {sizeof c,
                            spawn.child,
                            argv.data(),
                            static_cast<std::uint32_t>(argv.size()),
                            static_cast<std::uint32_t>(environment.size()),
                            environment.data(),
                            str(spawn.cwd),
                            str(spawn.input),
                            spawn.keep_stdin ? 1 : 0,
                            0};
        call(&pc_actions::spawn, &c);
    }
    void write_stdin(std::int32_t child, std::string_view bytes, bool close = false) {
        call(&pc_actions::write_stdin, child, str(bytes), close ? 1 : 0);
    }
    void signal(std::int32_t child, std::int32_t signal) {
        call(&pc_actions::signal, child, signal);
    }
    void http(const Http& request) {
        const auto headers = strs(request.headers);
        const pc_http c = {sizeof c,
                           request.timeout_ms,
                           request.id,
                           str(request.method),
                           str(request.url),
                           headers.data(),
                           static_cast<std::uint32_t>(headers.size()),
                           0,
                           str(request.body)};
        call(&pc_actions::http, &c);
    }
    void timer(std::uint64_t id, std::uint32_t milliseconds) {
        call(&pc_actions::timer, id, milliseconds);
    }
    /// A line of the run's log: PC_STREAM_…, or 0 for what the backend itself has to say.
    void log(std::string_view text, std::int32_t stream = 0) {
        call(&pc_actions::log, stream, str(text));
    }
    void session(std::string_view json, std::string_view display_id) {
        call(&pc_actions::session, str(json), str(display_id));
    }
    void usage(const Usage& usage) {
        const pc_usage c = {sizeof c,
                            0,
                            usage.input_tokens,
                            usage.cached_input_tokens,
                            usage.output_tokens,
                            usage.cost_micros,
                            str(usage.provider),
                            str(usage.biller),
                            str(usage.billing_type),
                            str(usage.model)};
        call(&pc_actions::usage, &c);
    }
    void handle(std::string_view bytes) { call(&pc_actions::handle, str(bytes)); }
    void result(const Result& result) {
        const pc_result c = {sizeof c,
                             result.error_class,
                             str(result.error_code),
                             str(result.message),
                             str(result.summary),
                             str(result.data),
                             result.retry_at_us,
                             result.clear_session ? 1 : 0,
                             0};
        call(&pc_actions::result, &c);
        ended_ = true;
    }

 private:
    static std::vector<pc_str> strs(const std::vector<std::string>& texts) {
        std::vector<pc_str> list;
        list.reserve(texts.size());
        for (const auto& text : texts) list.push_back(str(text));
        return list;
    }
    template <class Member, class... Arguments>
    void call(Member pc_actions::*member, Arguments... arguments) {
        if (ended_) return;
        (host_.*member)(host_.ctx, arguments...);
    }

    const pc_actions& host_;
    bool& ended_;
};

/// One run of an agent: a state machine. Made when the run is opened, gone when it is closed; calls
/// never overlap, but may come from different threads. The constructor gets the request, and throws
/// Failure(PC_INVALID, …) for a configuration that it cannot use.
class Agent {
 public:
    explicit Agent(const Request& request) : request_(request) {}
    virtual ~Agent() = default;
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    /// Takes an input, asks for actions; at once, without I/O. Comes for each kind of input that
    /// this SDK knows, for the first START alone, and no more after the result. An exception ends
    /// the run: Failure(PC_INVALID, …) as PC_CLASS_CONFIG, any other as PC_CLASS_INTERNAL.
    virtual void step(const Input& input, Actions& run) = 0;

 protected:
    [[nodiscard]] const Request& request() const noexcept { return request_; }

 private:
    const Request& request_;
};

/// What describe() and config_schema() answer for an adapter type: constants.
struct AdapterType {
    std::string_view type;
    std::string_view label;
    std::string_view capabilities = "{}";  ///< JSON object
    std::string_view config_schema;        ///< JSON Schema, draft 2020-12
};

namespace detail {

/// A request whose texts stand in one buffer of their own. Members that an older host does not know
/// are empty.
class OwnedRequest {
 public:
    explicit OwnedRequest(const pc_request* c) {
        reserve(c);
        if (PC_HAS(c, pc_request, kind)) request_.kind = c->kind;
        for (const auto& [member, source] : k_texts) request_.*member = keep(text(c, source));
        for (const pc_str text : environment_of(c))
            request_.environment.push_back(keep(view(text)));
        if (PC_HAS(c, pc_request, timeout_sec)) request_.timeout_sec = c->timeout_sec;
        if (PC_HAS(c, pc_request, grace_sec)) request_.grace_sec = c->grace_sec;
        if (PC_HAS(c, pc_request, budget_micros)) request_.budget_micros = c->budget_micros;
    }
    OwnedRequest(const OwnedRequest&) = delete;
    OwnedRequest& operator=(const OwnedRequest&) = delete;

    [[nodiscard]] const Request& get() const noexcept { return request_; }

 private:
    struct Text {
        std::string_view Request::*member;
        pc_str pc_request::*source;
    };
    static constexpr Text k_texts[] = {
        {&Request::adapter_type, &pc_request::adapter_type},
        {&Request::run_id, &pc_request::run_id},
        {&Request::agent_id, &pc_request::agent_id},
        {&Request::company_id, &pc_request::company_id},
        {&Request::config, &pc_request::config},
        {&Request::context, &pc_request::context},
        {&Request::prompt, &pc_request::prompt},
        {&Request::cwd, &pc_request::cwd},
        {&Request::session, &pc_request::session},
        {&Request::api_url, &pc_request::api_url},
    };

    static std::string_view text(const pc_request* c, pc_str pc_request::*source) noexcept {
        const pc_str& found = c->*source;
        const auto end = reinterpret_cast<const char*>(&found + 1);
        const bool known = end - reinterpret_cast<const char*>(c) <= c->struct_size;
        return known ? view(found) : std::string_view{};
    }
    static std::vector<pc_str> environment_of(const pc_request* c) {
        if (!PC_HAS(c, pc_request, environment_count) || c->environment == nullptr) return {};
        return {c->environment, c->environment + c->environment_count};
    }
    void reserve(const pc_request* c) {
        std::size_t size = 0;
        for (const auto& [member, source] : k_texts) size += text(c, source).size();
        for (const pc_str text : environment_of(c)) size += view(text).size();
        buffer_.reserve(size);  // views into it stay valid
    }
    std::string_view keep(std::string_view text) {
        const std::size_t at = buffer_.size();
        buffer_ += text;
        return std::string_view(buffer_).substr(at, text.size());
    }

    std::string buffer_;
    Request request_;
};

inline Input input_of(const pc_input* c) noexcept {
    Input input;
    input.kind = c->kind;
    if (PC_HAS(c, pc_input, now_us)) input.now_us = c->now_us;
    if (PC_HAS(c, pc_input, id)) input.id = c->id;
    if (PC_HAS(c, pc_input, child)) input.child = c->child;
    if (PC_HAS(c, pc_input, stream)) input.stream = c->stream;
    if (PC_HAS(c, pc_input, code)) input.code = c->code;
    if (PC_HAS(c, pc_input, signal)) input.signal = c->signal;
    if (PC_HAS(c, pc_input, text)) input.text = view(c->text);
    return input;
}

/// What stands behind a pc_run: the request and the author's object.
class OpenRun {
 public:
    template <class Author>
    static OpenRun* make(const pc_request* request) {
        auto run = std::make_unique<OpenRun>(request);
        run->agent_ = std::make_unique<Author>(run->request_.get());
        return run.release();
    }
    explicit OpenRun(const pc_request* request) : request_(request) {}

    pc_status step(const pc_input* input, const pc_actions& host) noexcept {
        if (ended_ || input->kind < PC_IN_START || input->kind > PC_IN_RECOVER) return PC_OK;
        if (input->kind == PC_IN_START && std::exchange(started_, true)) return PC_OK;
        Actions actions(host, ended_);
        pc_error error = {sizeof error, 0, {}};
        const pc_status status = guard(&error, [&] { agent_->step(input_of(input), actions); });
        if (status == PC_OK) return PC_OK;
        return guard(nullptr, [&] {
            actions.result(
                status == PC_INVALID
                    ? Result::failed(PC_CLASS_CONFIG, "adapter_config_invalid", error.message)
                    : Result::failed(PC_CLASS_INTERNAL, "plugin_failed", error.message));
        });
    }

 private:
    OwnedRequest request_;
    std::unique_ptr<Agent> agent_;
    bool started_ = false;
    bool ended_ = false;
};

/// The table of an agent plugin: `Author` is made for each run of one of `Types`.
template <class Author, const AdapterType&... Types>
struct AgentTable {
    static pc_status describe(const pc_writer* out, pc_error* error) noexcept {
        return guard(error, [&] {
            JsonWriter w;
            w.begin_object().key("adapterTypes").begin_array();
            for (const AdapterType* type : {&Types...}) {
                w.begin_object().member("type", type->type).member("label", type->label);
                w.key("capabilities").raw(type->capabilities).end_object();
            }
            const std::string text = w.end_array().end_object().take();
            out->write(out->ctx, str(text));
        });
    }
    static pc_status config_schema(pc_str adapter_type, const pc_writer* out,
                                   pc_error* error) noexcept {
        for (const AdapterType* type : {&Types...}) {
            if (type->type != view(adapter_type)) continue;
            return guard(error, [&] { out->write(out->ctx, str(type->config_schema)); });
        }
        set_error(error, "this plugin has no such adapter type");
        return PC_UNSUPPORTED;
    }
    static pc_status open(const pc_request* request, pc_run** run, pc_error* error) noexcept {
        return guard(error,
                     [&] { *run = reinterpret_cast<pc_run*>(OpenRun::make<Author>(request)); });
    }
    static void close(pc_run* run) noexcept { delete reinterpret_cast<OpenRun*>(run); }
    static pc_status step(pc_run* run, const pc_input* input, const pc_actions* actions) noexcept {
        if (!PC_HAS(input, pc_input, kind)) return PC_OK;  // nothing that could be understood
        if (!PC_HAS(actions, pc_actions, result)) return PC_INVALID;
        return reinterpret_cast<OpenRun*>(run)->step(input, *actions);
    }
    static constexpr pc_agent k_table = {
        sizeof(pc_agent), 0, describe, config_schema, open, close, step};
    static const void* interface_of(pc_str id) noexcept {
        return view(id) == PC_AGENT_INTERFACE ? &k_table : nullptr;
    }
};

}  // namespace detail
}  // namespace paperclip::sdk

/// Exports an agent plugin: a class derived from Agent, id and version as in plugin.json, then the
/// adapter types, constexpr variables of the namespace:
///     PAPERCLIP_AGENT(Echo, "agent-echo", "1.0.0", k_type)
#define PAPERCLIP_AGENT(Author_, id_, version_, ...) \
    PAPERCLIP_PLUGIN(id_, version_,                  \
                     (paperclip::sdk::detail::AgentTable<Author_, __VA_ARGS__>::interface_of))
