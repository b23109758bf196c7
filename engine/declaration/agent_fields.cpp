#include "engine/access/agent_keys.hpp"
#include "engine/declaration/fields.hpp"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

namespace paperclip::declaration {
namespace {

namespace json = boost::json;

constexpr std::string_view k_config = "adapter.config.";
constexpr std::string_view k_env = "env.";

enum class Form { text, span, number, boolean, list };

/// Where a field stands in an agent's runtimeConfig.
struct RuntimeField {
    std::string_view field;
    std::string_view group;
    std::string_view member;
    Form form;
};
constexpr std::array<RuntimeField, 13> k_runtime{{
    {"heartbeat.every", "heartbeat", "intervalSec", Form::span},
    {"heartbeat.cron", "heartbeat", "cron", Form::text},
    {"heartbeat.timezone", "heartbeat", "timezone", Form::text},
    {"heartbeat.jitter", "heartbeat", "jitterSec", Form::span},
    {"heartbeat.quietHours", "heartbeat", "quietHours", Form::text},
    {"heartbeat.runWhenIdle", "heartbeat", "runWhenIdle", Form::boolean},
    {"heartbeat.check", "heartbeat", "check", Form::list},
    {"heartbeat.catchUpPolicy", "heartbeat", "catchUpPolicy", Form::text},
    {"limits.timeout", "limits", "timeoutSec", Form::span},
    {"limits.outputTimeout", "limits", "outputTimeoutSec", Form::span},
    {"limits.grace", "limits", "graceSec", Form::span},
    {"limits.maxConcurrentRuns", "heartbeat", "maxConcurrentRuns", Form::number},
    {"limits.maxIssuesPerRun", "limits", "maxIssuesPerRun", Form::number},
}};

std::string json_text(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

json::value sorted(const json::value& value) {
    if (value.is_array()) {
        json::array array;
        for (const auto& item : value.get_array()) array.push_back(sorted(item));
        return array;
    }
    if (!value.is_object()) return value;
    std::map<std::string, const json::value*> members;
    for (const auto& [name, member] : value.get_object()) {
        members[std::string(name)] = &member;
    }
    json::object object;
    for (const auto& [name, member] : members) object[name] = sorted(*member);
    return object;
}

template <class T>
void put(Fields& fields, const char* name, const std::optional<T>& value) {
    if (value) fields[name] = to_json(*value);
}

void put_span(Fields& fields, const char* name, const std::optional<Span>& span) {
    if (span) fields[name] = span->seconds() == 0 ? "null" : to_json(*span);
}

std::string limit_text(std::optional<Money> limit, LimitWindow window) {
    if (!limit || limit->micros <= 0) return window == LimitWindow::run ? "null" : "\"unlimited\"";
    return to_json(Limit{LimitUnit::dollars, limit->micros, window});
}

std::string permission_list(const agents::Permissions& permissions) {
    std::vector<std::string> words;
    if (permissions.can_create_agents) words.emplace_back("agents:create");
    if (permissions.can_create_skills) words.emplace_back("skills:create");
    if (permissions.can_assign_tasks.value_or(true)) words.emplace_back("tasks:assign");
    return to_json(words);
}

/// The permissions that the engine enforces, of a declared list.
std::string enforced(const std::vector<std::string>& words) {
    const auto has = [&](const char* word) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    return permission_list({has("agents:create"), has("skills:create"), has("tasks:assign")});
}

void put_heartbeat(Fields& fields, const HeartbeatEntry& heartbeat) {
    if (heartbeat.every || heartbeat.cron) {
        fields["heartbeat.every"] = heartbeat.every ? to_json(*heartbeat.every) : "null";
        fields["heartbeat.cron"] = heartbeat.cron ? to_json(*heartbeat.cron) : "null";
    }
    put(fields, "heartbeat.timezone", heartbeat.timezone);
    put_span(fields, "heartbeat.jitter", heartbeat.jitter);
    if (heartbeat.quiet_hours) {
        fields["heartbeat.quietHours"] =
            heartbeat.quiet_hours->is_none() ? "null" : to_json(*heartbeat.quiet_hours);
    }
    put(fields, "heartbeat.runWhenIdle", heartbeat.run_when_idle);
    put(fields, "heartbeat.check", heartbeat.check);
    put(fields, "heartbeat.catchUpPolicy", heartbeat.catch_up_policy);
}

void put_budget(Fields& fields, const std::optional<Budget>& budget) {
    if (!budget) return;
    const Limit* month = budget->find(LimitUnit::dollars, LimitWindow::month);
    const Limit* run = budget->find(LimitUnit::dollars, LimitWindow::run);
    if (month != nullptr) {
        fields["budget.month"] = to_json(*month);
    } else if (budget->is_unlimited()) {
        fields["budget.month"] = "\"unlimited\"";
    }
    if (run != nullptr) fields["budget.run"] = to_json(*run);
}

void put_adapter(Fields& fields, const AgentEntry& entry) {
    if (entry.adapter) {
        put(fields, "adapter.type", entry.adapter->type);
        const json::value config =
            with_secret_marks(entry.adapter->config.value_or(Json{})).parse();
        for (const auto& [name, value] : config.as_object()) {
            fields[std::string(k_config) + std::string(name)] = canonical(Json::from(value));
        }
    }
    if (!entry.env) return;
    for (const auto& [name, value] : *entry.env) {
        fields[std::string(k_env) + name] = env_json(value);
    }
}

std::string read_runtime(const RuntimeField& spec, const json::object& config) {
    const auto* group = config.if_contains(spec.group);
    const auto* value = group != nullptr && group->is_object()
                            ? group->get_object().if_contains(spec.member)
                            : nullptr;
    if (value == nullptr || value->is_null()) {
        return spec.form == Form::boolean ? "false" : "null";
    }
    if (spec.form == Form::list && value->is_array() && value->get_array().empty()) return "null";
    if (!value->is_int64()) return Json::from(*value).text;
    const std::int64_t number = value->get_int64();
    if (spec.form != Form::span) return std::to_string(number);
    return number == 0 ? "null" : to_json(Span{std::chrono::seconds(number)});
}

void write_runtime(const RuntimeField& spec, json::object& config, const std::string& value) {
    if (!config.contains(spec.group)) config[spec.group].emplace_object();
    auto& group = config[spec.group].as_object();
    if (value == "null") {
        group.erase(spec.member);
    } else if (spec.form == Form::span) {
        const auto span = TextForm<Span>::parse(text_of(value).value_or(""));
        group[spec.member] = span.value_or(Span{}).seconds();
    } else {
        group[spec.member] = parse_json(value);
    }
    if (spec.field != "heartbeat.every" && spec.field != "heartbeat.cron") return;
    group["enabled"] = group.contains("intervalSec") || group.contains("cron");
}

}  // namespace

std::string canonical(const Json& value) {
    return Json::from(sorted(value.parse())).text;
}

std::string env_json(const EnvValue& value) {
    std::string text;
    JsonWriter w(text);
    if (value.secret.empty()) {
        w.begin_object().member("type", "plain").member("value", value.text).end_object();
    } else {
        w.begin_object().member("$secret", value.secret).end_object();
    }
    return text;
}

std::optional<std::string> text_of(const std::string& value) {
    const json::value parsed = parse_json(value);
    if (!parsed.is_string()) return std::nullopt;
    return std::string(std::string_view(parsed.get_string()));
}

Fields declared_fields(const EffectiveAgent& agent, const Files& files) {
    const AgentEntry& entry = agent.settings;
    Fields fields;
    put(fields, "name", entry.name);
    put(fields, "title", entry.title);
    put(fields, "capabilities", entry.capabilities);
    fields["role"] = to_json(agent.role);
    fields["reportsTo"] = entry.reports_to ? to_json(*entry.reports_to) : "null";
    put_adapter(fields, entry);
    if (entry.heartbeat) put_heartbeat(fields, *entry.heartbeat);
    if (entry.limits) {
        put_span(fields, "limits.timeout", entry.limits->timeout);
        put_span(fields, "limits.outputTimeout", entry.limits->output_timeout);
        put_span(fields, "limits.grace", entry.limits->grace);
        put(fields, "limits.maxConcurrentRuns", entry.limits->max_concurrent_runs);
        put(fields, "limits.maxIssuesPerRun", entry.limits->max_issues_per_run);
    }
    put_budget(fields, entry.budget);
    if (entry.permissions) fields["permissions"] = enforced(*entry.permissions);
    if (entry.instructions) {
        const auto file = files.find(*entry.instructions);
        const std::string_view content = file == files.end() ? "" : std::string_view(file->second);
        fields["instructions"] = json_text(access::sha256_hex(content));
    }
    return fields;
}

Fields live_fields(const agents::Agent& agent, const State& state) {
    Fields fields;
    fields["name"] = json_text(agent.name);
    put(fields, "title", agent.title);
    put(fields, "capabilities", agent.capabilities);
    fields["role"] = to_json(agent.role);
    fields["reportsTo"] = agent.reports_to ? json_text(state.name_of(*agent.reports_to)) : "null";
    fields["adapter.type"] = json_text(agent.adapter_type);
    const json::value config = agent.adapter_config.parse();
    for (const auto& [name, value] : config.as_object()) {
        if (name == "env" && value.is_object()) continue;
        fields[std::string(k_config) + std::string(name)] = canonical(Json::from(value));
    }
    if (const auto* env = config.as_object().if_contains("env");
        env != nullptr && env->is_object()) {
        for (const auto& [name, value] : env->get_object()) {
            fields[std::string(k_env) + std::string(name)] = canonical(Json::from(value));
        }
    }
    const json::value runtime = agent.runtime_config.parse();
    for (const RuntimeField& spec : k_runtime) {
        fields[std::string(spec.field)] = read_runtime(spec, runtime.as_object());
    }
    const auto limit = [&](const std::map<Id, Money>& limits) {
        const auto found = limits.find(agent.id);
        return found == limits.end() ? std::nullopt : std::optional(found->second);
    };
    fields["budget.month"] = limit_text(limit(state.month_limits), LimitWindow::month);
    fields["budget.run"] = limit_text(limit(state.run_limits), LimitWindow::run);
    fields["permissions"] = permission_list(agent.permissions);
    const auto hash = state.instruction_hashes.find(agent.id);
    if (hash != state.instruction_hashes.end()) fields["instructions"] = json_text(hash->second);
    return fields;
}

void AgentDraft::set(const std::string& field, const std::string& value) {
    const auto text = text_of(value);
    if (field == "name") agent.name = text.value_or(agent.name);
    if (field == "title") agent.title = text;
    if (field == "capabilities") agent.capabilities = text;
    if (field == "role")
        agent.role = parse_word<agents::AgentRole>(text.value_or("")).value_or(agent.role);
    if (field == "adapter.type") agent.adapter_type = text.value_or(agent.adapter_type);
    if (field == "permissions") {
        agent.permissions = agents::default_permissions(agent.role);
        const json::value words = parse_json(value);
        if (!words.is_array()) return;
        agent.permissions = {.can_assign_tasks = false};
        for (const auto& word : words.get_array()) {
            if (word == "agents:create") agent.permissions.can_create_agents = true;
            if (word == "skills:create") agent.permissions.can_create_skills = true;
            if (word == "tasks:assign") agent.permissions.can_assign_tasks = true;
        }
    }
    if (field == "budget.month" || field == "budget.run") {
        const auto limit = TextForm<Limit>::parse(text.value_or(""));
        const Money amount{limit ? limit->amount : 0};
        if (field == "budget.month") agent.budget_monthly = amount;
        if (field == "budget.run") {
            run_limit = amount.micros > 0 ? std::optional(amount) : std::nullopt;
        }
    }
    const bool is_config = field.starts_with(k_config);
    if (is_config || field.starts_with(k_env)) {
        json::value config = agent.adapter_config.parse();
        json::object* place = &config.as_object();
        if (!is_config) {
            auto& env = (*place)["env"];
            if (!env.is_object()) env.emplace_object();
            place = &env.get_object();
        }
        const std::string name = field.substr(is_config ? k_config.size() : k_env.size());
        if (value == "null") {
            place->erase(name);
        } else {
            (*place)[name] = parse_json(value);
        }
        agent.adapter_config = Json::from(config);
    }
    for (const RuntimeField& spec : k_runtime) {
        if (field != spec.field) continue;
        json::value config = agent.runtime_config.parse();
        write_runtime(spec, config.as_object(), value);
        agent.runtime_config = agents::with_runtime_defaults(Json::from(config));
    }
}

}  // namespace paperclip::declaration
