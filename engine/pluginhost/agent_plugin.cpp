#include "engine/pluginhost/agent_plugin.hpp"

#include "engine/base/error.hpp"
#include "engine/base/json.hpp"
#include "engine/base/log.hpp"

#include <algorithm>
#include <chrono>

#include <boost/json.hpp>

namespace paperclip::pluginhost {
namespace {

constexpr std::chrono::milliseconds k_step_limit{50};

pc_str str(const std::string& text) {
    return {text.data(), text.size()};
}
std::string copy(pc_str text) {
    return text.data == nullptr ? std::string() : std::string(text.data, text.size);
}

std::vector<pc_str> strs(const std::vector<std::string>& list) {
    std::vector<pc_str> out;
    out.reserve(list.size());
    for (const auto& text : list) out.push_back(str(text));
    return out;
}

std::vector<std::string> copy(const pc_str* list, std::uint32_t count) {
    std::vector<std::string> out;
    out.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) out.push_back(copy(list[i]));
    return out;
}

pc_writer writer_into(std::string& text) {
    return {sizeof(pc_writer), 0, &text, [](void* ctx, pc_str bytes) {
                static_cast<std::string*>(ctx)->append(bytes.data, bytes.size);
            }};
}

std::vector<AgentAction>& list_of(void* ctx) {
    return *static_cast<std::vector<AgentAction>*>(ctx);
}

// The functions of pc_actions: each copies what it is given into the list of actions.
void on_spawn(void* ctx, const pc_spawn* spawn) {
    list_of(ctx).emplace_back(SpawnAction{spawn->child, copy(spawn->argv, spawn->argc),
                                          copy(spawn->environment, spawn->environment_count),
                                          copy(spawn->cwd), copy(spawn->input),
                                          spawn->keep_stdin != 0});
}
void on_stdin(void* ctx, std::int32_t child, pc_str bytes, std::int32_t close) {
    list_of(ctx).emplace_back(StdinAction{child, copy(bytes), close != 0});
}
void on_signal(void* ctx, std::int32_t child, std::int32_t signal) {
    list_of(ctx).emplace_back(SignalAction{child, signal});
}
void on_http(void* ctx, const pc_http* http) {
    list_of(ctx).emplace_back(HttpAction{http->id, copy(http->method), copy(http->url),
                                         copy(http->headers, http->header_count), copy(http->body),
                                         http->timeout_ms});
}
void on_timer(void* ctx, std::uint64_t id, std::uint32_t milliseconds) {
    list_of(ctx).emplace_back(TimerAction{id, milliseconds});
}
void on_log(void* ctx, std::int32_t stream, pc_str text) {
    list_of(ctx).emplace_back(LogAction{stream, copy(text)});
}
void on_session(void* ctx, pc_str json, pc_str display_id) {
    list_of(ctx).emplace_back(SessionAction{copy(json), copy(display_id)});
}
void on_usage(void* ctx, const pc_usage* usage) {
    list_of(ctx).emplace_back(UsageAction{
        usage->input_tokens, usage->cached_input_tokens, usage->output_tokens, usage->cost_micros,
        copy(usage->provider), copy(usage->biller), copy(usage->billing_type), copy(usage->model)});
}
void on_handle(void* ctx, pc_str bytes) {
    list_of(ctx).emplace_back(HandleAction{copy(bytes)});
}
void on_result(void* ctx, const pc_result* result) {
    list_of(ctx).emplace_back(ResultAction{
        result->error_class, copy(result->error_code), copy(result->message), copy(result->summary),
        copy(result->data), result->retry_at_us, result->clear_session != 0});
}

ResultAction internal_error(const std::string& message) {
    ResultAction result;
    result.error_class = PC_CLASS_INTERNAL;
    result.error_code = "plugin_failed";
    result.message = message;
    return result;
}

}  // namespace

AgentRun::AgentRun(const AdapterType& type, const AgentRequest& request) : type_(type) {
    const auto environment = strs(request.environment);
    pc_request c{};
    c.struct_size = sizeof c;
    c.kind = request.kind;
    c.adapter_type = str(request.adapter_type);
    c.run_id = str(request.run_id);
    c.agent_id = str(request.agent_id);
    c.company_id = str(request.company_id);
    c.config = str(request.config);
    c.context = str(request.context);
    c.prompt = str(request.prompt);
    c.cwd = str(request.cwd);
    c.session = str(request.session);
    c.api_url = str(request.api_url);
    c.environment = environment.data();
    c.environment_count = static_cast<std::uint32_t>(environment.size());
    c.timeout_sec = request.timeout_sec;
    c.grace_sec = request.grace_sec;
    c.budget_micros = request.budget_micros;
    pc_error error{};
    error.struct_size = sizeof error;
    if (type.agent->open(&c, &run_, &error) != PC_OK || run_ == nullptr) {
        throw Error(ErrorKind::unprocessable,
                    error.message[0] != '\0' ? error.message : "the adapter refused the run",
                    "adapter_config_invalid");
    }
}

AgentRun::~AgentRun() {
    type_.agent->close(run_);
}

std::vector<AgentAction> AgentRun::step(const AgentInput& input) {
    std::vector<AgentAction> actions;
    const pc_actions table = {sizeof(pc_actions), 0,         &actions, on_spawn, on_stdin,
                              on_signal,          on_http,   on_timer, on_log,   on_session,
                              on_usage,           on_handle, on_result};
    pc_input c{};
    c.struct_size = sizeof c;
    c.kind = input.kind;
    c.now_us = input.now.time_since_epoch().count();
    c.id = input.id;
    c.child = input.child;
    c.stream = input.stream;
    c.code = input.code;
    c.signal = input.signal;
    c.text = str(input.text);
    const auto started = std::chrono::steady_clock::now();
    const pc_status status = type_.agent->step(run_, &c, &table);
    const auto elapsed = std::chrono::steady_clock::now() - started;
    if (elapsed > k_step_limit) {
        log_warn("a plugin took long over a step",
                 {{"plugin", type_.library->found().manifest.id},
                  {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count()}});
    }
    if (status != PC_OK) {
        log_error("a plugin failed in a step",
                  {{"plugin", type_.library->found().manifest.id}, {"status", status}});
        actions.emplace_back(internal_error("The adapter " + type_.type +
                                            " failed inside (status " + std::to_string(status) +
                                            ")"));
    }
    return actions;
}

AdapterTypes::AdapterTypes(const std::vector<FoundPlugin>& found,
                           std::vector<std::string>& problems) {
    for (const FoundPlugin& plugin : found) {
        const auto& interfaces = plugin.manifest.interfaces;
        if (std::find(interfaces.begin(), interfaces.end(), PC_AGENT_INTERFACE) ==
            interfaces.end()) {
            continue;
        }
        try {
            add(plugin);
        } catch (const std::exception& e) {
            problems.emplace_back(e.what());
        }
    }
}

void AdapterTypes::add(const FoundPlugin& plugin) {
    const Library& library = load(plugin);
    const auto* agent = library.interface_of<pc_agent>(PC_AGENT_INTERFACE);
    const auto fail = [&](const std::string& why) {
        throw Error(ErrorKind::unavailable, "plugin " + plugin.manifest.id + ": " + why);
    };
    if (!PC_HAS(agent, pc_agent, step)) fail("it offers no complete " PC_AGENT_INTERFACE);
    pc_error error{};
    error.struct_size = sizeof error;
    std::string description;
    const pc_writer out = writer_into(description);
    if (agent->describe(&out, &error) != PC_OK) fail(error.message);
    const auto parsed = parse_json(description);
    for (const auto& entry : parsed.at("adapterTypes").as_array()) {
        const auto& object = entry.as_object();
        AdapterType type;
        type.type = std::string(object.at("type").as_string());
        type.label = type.type;
        if (const auto* label = object.if_contains("label"))
            type.label = std::string(label->as_string());
        if (const auto* capabilities = object.if_contains("capabilities")) {
            type.capabilities = boost::json::serialize(*capabilities);
        }
        const pc_writer schema = writer_into(type.schema);
        if (agent->config_schema(str(type.type), &schema, &error) != PC_OK) fail(error.message);
        type.library = &library;
        type.agent = agent;
        if (!types_.emplace(type.type, type).second) {
            log_warn("two plugins offer an adapter type; the first one is used",
                     {{"type", type.type}, {"ignored", plugin.manifest.id}});
        }
    }
}

const AdapterType* AdapterTypes::find(std::string_view type) const {
    const auto found = types_.find(type);
    return found == types_.end() ? nullptr : &found->second;
}

}  // namespace paperclip::pluginhost
