#include "engine/declaration/state.hpp"

#include "engine/access/agent_keys.hpp"
#include "engine/base/files.hpp"
#include "engine/declaration/values.hpp"

#include <set>

#include <boost/json.hpp>

namespace paperclip::declaration {

using storage::operator""_sql;

namespace {

constexpr std::size_t k_max_instructions = 1 << 20;

Fields fields_of(const Json& json) {
    Fields fields;
    const boost::json::value value = json.parse();
    for (const auto& [name, field] : value.as_object()) {
        fields[std::string(name)] = Json::from(field).text;
    }
    return fields;
}

void read_limits(const Services& services, State& state) {
    services.core.store.each(
        "declared.policies"_sql, {{"company_id", state.company->id}}, [&](storage::Row row) {
            const Money amount{row[3].as_integer()};
            const bool monthly = row[2].as_text() == "month";
            if (row[0].as_text() == "company") {
                if (monthly) state.company_limit = amount;
            } else if (row[0].as_text() == "agent") {
                (monthly ? state.month_limits : state.run_limits)[Id::trusted(row[1].as_text())] =
                    amount;
            }
        });
}

void read_instructions(const Services& services, State& state) {
    for (const auto& [id, agent] : state.agents) {
        const auto file = instructions_file(services, id);
        if (!std::filesystem::exists(file)) continue;
        state.instruction_hashes[id] = access::sha256_hex(read_file(file, k_max_instructions));
    }
}

/// Gives what is not declared the keys that it would be declared by: from its name, and no two of
/// them the same.
class KeyGiver {
 public:
    explicit KeyGiver(State& state) : state_(state) {}

    void run() {
        for (const auto& [id, agent] : state_.agents) {
            const bool there = agent.status != agents::AgentStatus::terminated;
            if (there) give(ObjectKind::agent, id, agent.url_key);
        }
        for (const auto& [id, goal] : state_.goals) {
            give(ObjectKind::goal, id, agents::slug_of(goal.title, "goal"));
        }
        for (const auto& [id, project] : state_.projects) {
            if (!project.archived_at) give(ObjectKind::project, id, project.url_key);
        }
    }

 private:
    void give(ObjectKind kind, const Id& id, std::string key) {
        if (state_.slugs.contains(id)) return;
        key = key.substr(0, k_max_key);
        while (key.ends_with('-')) key.pop_back();
        if (!is_slug(key)) key += "-" + std::string(word(kind));  // YAML reads "no" as false
        std::string free = key;
        for (int n = 2; !given_.emplace(kind, free).second || state_.find(kind, free) != nullptr;) {
            free = key + "-" + std::to_string(n++);
        }
        state_.free_keys[id] = free;
    }

    static constexpr std::size_t k_max_key = 50;  // with room for what makes it unique
    State& state_;
    std::set<std::pair<ObjectKind, std::string>> given_;
};

}  // namespace

std::filesystem::path instructions_file(const Services& services, const Id& agent) {
    return services.instructions_root / agent.str() / "AGENTS.md";
}

const Managed* State::find(ObjectKind kind, const std::string& slug) const {
    const auto found = managed.find({kind, slug});
    return found == managed.end() ? nullptr : &found->second;
}

std::string State::name_of(const Id& id) const {
    if (const auto slug = slugs.find(id); slug != slugs.end()) return slug->second;
    if (const auto key = free_keys.find(id); key != free_keys.end()) return key->second;
    return id.str();
}

std::optional<Id> State::adoptable(ObjectKind kind, const std::string& slug) const {
    for (const auto& [id, key] : free_keys) {
        const bool of_kind = (kind == ObjectKind::agent && agents.contains(id)) ||
                             (kind == ObjectKind::goal && goals.contains(id)) ||
                             (kind == ObjectKind::project && projects.contains(id));
        if (of_kind && key == slug && !slugs.contains(id)) return id;
    }
    return std::nullopt;
}

State read_state(const Services& services, const std::string& slug,
                 const std::optional<Id>& company) {
    State state;
    storage::Store& store = services.core.store;
    state.applied =
        company ? store.one<Applied>("declaration.by_company"_sql, {{"company_id", *company}})
                : store.one<Applied>("declaration.by_slug"_sql, {{"slug", slug}});
    if (!company && !state.applied) return state;
    state.company = services.companies.get(company ? *company : state.applied->company_id);
    const Id& id = state.company->id;
    for (auto& object :
         store.all<DeclaredObject>("declared.of_company"_sql, {{"company_id", id}})) {
        state.slugs[object.object_id] = object.slug;
        state.managed[{object.kind, object.slug}] = {object.object_id, fields_of(object.fields)};
    }
    for (auto& agent : services.agents.roster(id)) state.agents[agent.id] = std::move(agent);
    for (auto& goal : services.goals.list(id)) state.goals[goal.id] = std::move(goal);
    for (auto& project : services.projects.list(id)) {
        state.projects[project.id] = std::move(project);
    }
    KeyGiver(state).run();
    read_limits(services, state);
    read_instructions(services, state);
    return state;
}

}  // namespace paperclip::declaration
