#include "engine/declaration/exporting.hpp"

#include "engine/base/files.hpp"
#include "engine/declaration/fields.hpp"
#include "engine/declaration/yaml_write.hpp"

#include <algorithm>
#include <set>

#include <boost/json.hpp>

namespace paperclip::declaration {
namespace {

namespace json = boost::json;

template <class T>
T read_json(const std::string& text) {
    T value{};
    const json::value parsed = parse_json(text);
    Problems problems;
    type_of<T>().read(JsonNode(parsed), &value, problems);
    problems.throw_if_any();
    return value;
}

/// Sets an optional member from a field's value; null takes it away.
template <class T>
void put(std::optional<T>& member, const std::string& value) {
    member = value == "null" ? std::nullopt : std::optional<T>(read_json<T>(value));
}

/// `{"$secret":"NAME"}` as people write it.
json::value without_secret_marks(const json::value& value) {
    if (value.is_array()) {
        json::array items;
        for (const auto& item : value.get_array()) items.push_back(without_secret_marks(item));
        return items;
    }
    if (!value.is_object()) return value;
    json::object object;
    for (const auto& [name, member] : value.get_object()) {
        const bool mark = name == "$secret" && value.get_object().size() == 1;
        object[mark ? "secret" : std::string_view(name)] = without_secret_marks(member);
    }
    return object;
}

void put_config(AgentEntry& entry, const std::string& name, const std::string& value) {
    if (!entry.adapter) entry.adapter.emplace();
    json::value config = entry.adapter->config.value_or(Json{}).parse();
    if (value == "null") {
        config.as_object().erase(name);
    } else {
        config.as_object()[name] = without_secret_marks(parse_json(value));
    }
    entry.adapter->config = Json::from(config);
}

void put_env(AgentEntry& entry, const std::string& name, const std::string& value) {
    if (!entry.env) entry.env.emplace();
    if (value == "null") {
        entry.env->erase(name);
        return;
    }
    const json::value parsed = parse_json(value);
    EnvValue env;
    if (parsed.is_object()) {
        const auto& object = parsed.get_object();
        if (const auto* secret = object.if_contains("$secret"); secret && secret->is_string()) {
            env.secret = std::string_view(secret->get_string());
        } else if (const auto* text = object.if_contains("value"); text && text->is_string()) {
            env.text = std::string_view(text->get_string());
        }
    }
    (*entry.env)[name] = env;
}

void put_limit(AgentEntry& entry, LimitWindow window, const std::string& value) {
    Budget budget = entry.budget.value_or(Budget{});
    std::erase_if(budget.limits, [&](const Limit& limit) {
        return limit.unit == LimitUnit::unlimited
                   ? window == LimitWindow::month
                   : limit.unit == LimitUnit::dollars && limit.window == window;
    });
    if (value != "null") {
        budget.limits.insert(
            window == LimitWindow::month ? budget.limits.begin() : budget.limits.end(),
            read_json<Limit>(value));
    }
    entry.budget = budget.limits.empty() ? std::nullopt : std::optional(budget);
}

void put_runtime(AgentEntry& entry, const std::string& field, const std::string& value) {
    if (field.starts_with("heartbeat.")) {
        if (!entry.heartbeat) entry.heartbeat.emplace();
        HeartbeatEntry& heartbeat = *entry.heartbeat;
        if (field == "heartbeat.every") put(heartbeat.every, value);
        if (field == "heartbeat.cron") put(heartbeat.cron, value);
        if (field == "heartbeat.timezone") put(heartbeat.timezone, value);
        if (field == "heartbeat.jitter") put(heartbeat.jitter, value);
        if (field == "heartbeat.quietHours") {
            put(heartbeat.quiet_hours, value == "null" ? "\"none\"" : value);
        }
        if (field == "heartbeat.runWhenIdle") put(heartbeat.run_when_idle, value);
        if (field == "heartbeat.check") put(heartbeat.check, value);
        if (field == "heartbeat.catchUpPolicy") put(heartbeat.catch_up_policy, value);
    }
    if (field.starts_with("limits.")) {
        if (!entry.limits) entry.limits.emplace();
        LimitsEntry& limits = *entry.limits;
        if (field == "limits.timeout") put(limits.timeout, value);
        if (field == "limits.outputTimeout") put(limits.output_timeout, value);
        if (field == "limits.grace") put(limits.grace, value);
        if (field == "limits.maxConcurrentRuns") put(limits.max_concurrent_runs, value);
        if (field == "limits.maxIssuesPerRun") put(limits.max_issues_per_run, value);
    }
}

void declare(AgentEntry& entry, const std::string& field, const std::string& value) {
    constexpr std::string_view k_config = "adapter.config.";
    constexpr std::string_view k_env = "env.";
    if (field == "name") put(entry.name, value);
    if (field == "title") put(entry.title, value);
    if (field == "capabilities") put(entry.capabilities, value);
    if (field == "role") entry.role = text_of(value).value_or(entry.role);
    if (field == "reportsTo") put(entry.reports_to, value);
    if (field == "permissions") put(entry.permissions, value);
    if (field == "adapter.type") {
        if (!entry.adapter) entry.adapter.emplace();
        put(entry.adapter->type, value);
    }
    if (field.starts_with(k_config)) put_config(entry, field.substr(k_config.size()), value);
    if (field.starts_with(k_env)) put_env(entry, field.substr(k_env.size()), value);
    if (field == "budget.month") put_limit(entry, LimitWindow::month, value);
    if (field == "budget.run") put_limit(entry, LimitWindow::run, value);
    put_runtime(entry, field, value);
}

void declare(GoalEntry& entry, const std::string& field, const std::string& value) {
    if (field == "title") entry.title = text_of(value).value_or(entry.title);
    if (field == "description") put(entry.description, value);
    if (field == "level") put(entry.level, value);
    if (field == "status") put(entry.status, value);
    if (field == "parent") put(entry.parent, value);
    if (field == "owner") put(entry.owner, value);
    if (field == "targetDate") put(entry.target_date, value);
}

void declare(ProjectEntry& entry, const std::string& field, const std::string& value) {
    if (field == "name") entry.name = text_of(value).value_or(entry.name);
    if (field == "description") put(entry.description, value);
    if (field == "status") put(entry.status, value);
    if (field == "lead") put(entry.lead, value);
    if (field == "goals") put(entry.goals, value);
    if (field == "targetDate") put(entry.target_date, value);
    if (field == "color") put(entry.color, value);
    if (!field.starts_with("workspace.")) return;
    if (!entry.workspace) entry.workspace.emplace();
    if (field == "workspace.cwd") put(entry.workspace->cwd, value);
    if (field == "workspace.repoUrl") put(entry.workspace->repo_url, value);
    if (field == "workspace.repoRef") put(entry.workspace->repo_ref, value);
}

void declare(Document& document, const std::string& field, const std::string& value) {
    if (field == "name") document.name = text_of(value).value_or(document.name);
    if (field == "mission") put(document.mission, value);
    if (field == "timezone") put(document.timezone, value);
    if (field != "budget.month") return;
    std::erase_if(document.budgets, [](const BudgetEntry& entry) {
        return entry.scope.kind == "company" && entry.limit.window == LimitWindow::month;
    });
    document.budgets.insert(document.budgets.begin(),
                            {BudgetScope{"company", {}}, read_json<Limit>(value), {}});
}

template <class T>
T* entry_of(Keyed<T>& keyed, const std::string& slug) {
    const auto found = std::find_if(keyed.items.begin(), keyed.items.end(),
                                    [&](const auto& item) { return item.first == slug; });
    return found == keyed.items.end() ? nullptr : &found->second;
}

template <class T>
void drop_entry(Keyed<T>& keyed, const std::string& slug) {
    std::erase_if(keyed.items, [&](const auto& item) { return item.first == slug; });
}

/// Makes the agents of `count:` entries of their own, where one of them is not like the others.
void split_counted(Document& document, const std::string& slug) {
    for (auto at = document.agents.items.begin(); at != document.agents.items.end(); ++at) {
        const auto count = at->second.count.value_or(0);
        for (std::int64_t n = 1; n <= count; ++n) {
            if (at->first + "-" + std::to_string(n) != slug) continue;
            const auto [key, entry] = *at;
            at = document.agents.items.erase(at);
            for (std::int64_t i = count; i >= 1; --i) {
                AgentEntry one = entry;
                one.count.reset();
                at = document.agents.items.insert(at, {key + "-" + std::to_string(i), one});
            }
            return;
        }
    }
}

/// Lets each agent say for itself what `defaults:` and its role say for it: what an agent inherits
/// cannot be taken away from it.
void inline_settings(Document& document) {
    for (auto& [key, entry] : document.agents.items) {
        AgentSettings settings = merged(document, entry);
        static_cast<AgentSettings&>(entry) = std::move(settings);
    }
    document.defaults.reset();
    for (auto& [key, role] : document.roles.items) static_cast<AgentSettings&>(role) = {};
}

/// One operation's export.
class Exporter {
 public:
    Exporter(const Services& services, const State& state) : services_(services), state_(state) {}

    Files run() {
        begin();
        add();
        if (!agents_are_as_they_are()) {
            begin();
            inline_settings(document_);
            add();
        }
        files_[std::string(k_company_file)] = write_yaml(document_);
        return std::move(files_);
    }

 private:
    void begin() {
        document_ = {};
        files_.clear();
        if (state_.applied) {
            document_ =
                read_source({{std::string(k_company_file), state_.applied->document}}).document;
        } else {
            document_.schema = k_schema;
            document_.slug = agents::slug_of(state_.company->name);
        }
    }
    void add() {
        add_changes();
        add_own_fields();
        add_undeclared();
        add_instructions();
    }
    /// Is what the document says of each agent true?
    [[nodiscard]] bool agents_are_as_they_are() const {
        const auto agents = effective_agents(document_);
        return std::all_of(agents.begin(), agents.end(), [&](const EffectiveAgent& agent) {
            const auto live = live_id(agent.slug);
            if (!live) return true;
            const Fields fields = live_fields(state_.agents.at(*live), state_);
            const Fields declared = declared_fields(agent, files_);
            return std::all_of(declared.begin(), declared.end(), [&](const auto& field) {
                const auto now = fields.find(field.first);
                return field.second == (now == fields.end() ? "null" : now->second);
            });
        });
    }
    void add_changes() {
        const Drift drift = drift_of(state_);
        for (const Change& change : drift.changes) {
            for (const FieldChange& field : change.fields) {
                add_field(change.kind, change.slug, field);
            }
        }
        for (const std::string& missing : drift.missing) {
            const std::string slug = missing.substr(missing.find(' ') + 1);
            if (missing.starts_with("agent ")) {
                split_counted(document_, slug);
                drop_entry(document_.agents, slug);
            }
            if (missing.starts_with("goal ")) drop_entry(document_.goals, slug);
            if (missing.starts_with("project ")) drop_entry(document_.projects, slug);
        }
    }
    /// Fields of declared objects that no declaration speaks of, where people have set them.
    void add_own_fields() {
        for (const auto& [key, managed] : state_.managed) {
            const auto& [kind, slug] = key;
            const Fields live = live_fields_of(state_, kind, managed.id).value_or(Fields{});
            for (const auto& [name, value] : live) {
                const bool key_itself = name == "name" && text_of(value) == slug;
                if (managed.applied.contains(name) || name == "instructions" || key_itself)
                    continue;
                if (value == "null" || value == value_of_new(kind, name, live)) continue;
                add_field(kind, slug, {name, {}, Json::trusted(value), false});
            }
        }
    }
    void add_field(ObjectKind kind, const std::string& slug, const FieldChange& field) {
        if (kind == ObjectKind::company) declare(document_, field.field, field.to.text);
        if (kind == ObjectKind::goal) add_change(document_.goals, slug, field);
        if (kind == ObjectKind::project) add_change(document_.projects, slug, field);
        if (kind != ObjectKind::agent) return;
        split_counted(document_, slug);
        add_change(document_.agents, slug, field);
    }
    template <class T>
    static void add_change(Keyed<T>& keyed, const std::string& slug, const FieldChange& field) {
        if (T* entry = entry_of(keyed, slug)) declare(*entry, field.field, field.to.text);
    }

    /// What no declaration has made, with every field that is not at its default.
    void add_undeclared() {
        if (!state_.applied) {
            for (const auto& [name, value] : live_fields(*state_.company, state_)) {
                if (value != default_value(ObjectKind::company, name)) {
                    declare(document_, name, value);
                }
            }
        }
        for (const auto& [id, goal] : state_.goals) {
            if (state_.slugs.contains(id)) continue;
            add_new(document_.goals, state_.name_of(id), ObjectKind::goal,
                    live_fields(goal, state_));
        }
        for (const auto& [id, agent] : state_.agents) {
            if (state_.slugs.contains(id) || agent.status == agents::AgentStatus::terminated)
                continue;
            Fields fields = live_fields(agent, state_);
            const std::string slug = state_.name_of(id);
            if (text_of(fields["name"]) == slug) fields.erase("name");
            fields.erase("instructions");
            add_new(document_.agents, slug, ObjectKind::agent, fields);
        }
        for (const auto& [id, project] : state_.projects) {
            if (state_.slugs.contains(id) || project.archived_at) continue;
            add_new(document_.projects, state_.name_of(id), ObjectKind::project,
                    live_fields(project, state_));
        }
    }
    /// What an object that is otherwise like this one has where nothing is declared.
    [[nodiscard]] std::string value_of_new(ObjectKind kind, const std::string& name,
                                           const Fields& live) const {
        if (kind == ObjectKind::goal && name == "level") {
            return to_json(live.contains("parent") ? work::GoalLevel::task
                                                   : work::GoalLevel::company);
        }
        if (kind != ObjectKind::agent || name != "permissions") return default_value(kind, name);
        agents::Agent agent;
        agent.role = read_json<agents::AgentRole>(live.at("role"));
        agent.permissions = agents::default_permissions(agent.role);
        return live_fields(agent, state_).at(name);
    }
    template <class T>
    void add_new(Keyed<T>& keyed, const std::string& slug, ObjectKind kind, const Fields& fields) {
        T& entry = keyed.add(slug);
        for (const auto& [name, value] : fields) {
            const bool budget = name == "budget.month";
            if (value == "null" || (!budget && value == value_of_new(kind, name, fields))) continue;
            declare(entry, name, value);
        }
    }

    /// The files as they are now. Where two agents share one file and no longer agree, the later
    /// gets a file of its own.
    void add_instructions() {
        for (const EffectiveAgent& agent : effective_agents(document_)) {
            const auto id = live_id(agent.slug);
            if (!id || !state_.instruction_hashes.contains(*id)) continue;
            const std::string content = read_file(instructions_file(services_, *id));
            std::string path =
                agent.settings.instructions.value_or("prompts/" + agent.slug + ".md");
            const auto [file, is_new] = files_.try_emplace(path, content);
            if (!is_new && file->second != content) {
                split_counted(document_, agent.slug);
                path = "prompts/" + agent.slug + ".md";
                files_[path] = content;
            }
            if (agent.settings.instructions == path) continue;
            if (AgentEntry* entry = entry_of(document_.agents, agent.slug)) {
                entry->instructions = path;
            }
        }
    }
    [[nodiscard]] std::optional<Id> live_id(const std::string& slug) const {
        if (const Managed* managed = state_.find(ObjectKind::agent, slug)) return managed->id;
        return state_.adoptable(ObjectKind::agent, slug);
    }

    const Services& services_;
    const State& state_;
    Document document_;
    Files files_;
};

}  // namespace

Files export_state(const Services& services, const State& state) {
    return Exporter(services, state).run();
}

}  // namespace paperclip::declaration
