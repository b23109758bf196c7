#include "engine/agents/agents.hpp"

#include "engine/agents/schedule.hpp"
#include "engine/agents/setup.hpp"
#include "engine/base/nearest.hpp"

#include <algorithm>

namespace paperclip::agents {

using storage::operator""_sql;

namespace {

[[noreturn]] void not_found() {
    throw Error(ErrorKind::not_found, "Agent not found");
}

[[noreturn]] void refuse_cycle() {
    refuse("Reporting relationship would create cycle");
}

/// `agent.name` with a number behind it while its key is somebody else's: "Eddie 2".
void make_unique(Agent& agent, Directory& directory) {
    const std::string name = agent.name;
    agent.url_key = slug_of(name);
    for (int n = 2; directory.is_taken(agent, agent.url_key); ++n) {
        agent.name = name + " " + std::to_string(n);
        agent.url_key = slug_of(agent.name);
    }
}

AgentView show(const Agent& agent, std::span<const Agent> chain, Money spent) {
    AgentView view;
    static_cast<Agent&>(view) = agent;
    view.adapter_config = redact_adapter_config(view.adapter_config);
    view.spent_monthly = spent;
    view.org_chain_health = health_of(chain);
    return view;
}

}  // namespace

std::string slug_of(std::string_view name, std::string_view otherwise) {
    std::string slug;
    for (const char c : name) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        const bool plain = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
        if (plain) {
            slug += lower;
        } else if (!slug.empty() && slug.back() != '-') {
            slug += '-';
        }
    }
    while (slug.ends_with('-')) slug.pop_back();
    return slug.empty() ? std::string(otherwise) : slug;
}

Permissions default_permissions(AgentRole role) {
    const bool leads = role == AgentRole::ceo;
    return {.can_create_agents = leads, .can_create_skills = leads};
}

void Agents::check(const Agent& agent, Directory& directory) const {
    if (!adapters_.knows(agent.adapter_type)) {
        const auto types = adapters_.types();
        const std::vector<std::string_view> words(types.begin(), types.end());
        refuse("Unknown adapter type: " + agent.adapter_type + "; installed are: " + listed(words));
    }
    const auto problems = adapters_.check_config(agent.adapter_type, agent.adapter_config, false);
    if (!problems.empty()) refuse("adapterConfig: " + problems.front());
    // Reads what the heartbeat's schedule is made of, and throws.
    const Schedule schedule(parse_runtime_config(agent.runtime_config).heartbeat, agent.id,
                            agent.created_at, "UTC");
    if (!agent.reports_to) return;
    if (*agent.reports_to == agent.id) refuse("Agent cannot report to itself");
    const auto manager = directory.find(*agent.reports_to);
    if (!manager || manager->company_id != agent.company_id) {
        refuse("Manager must belong to same company");
    }
    if (manager->status == AgentStatus::terminated) refuse("Manager is terminated");
    for (const Agent& above : directory.chain_of(*manager)) {
        if (above.id == agent.id) refuse_cycle();
    }
}

void Agents::log_activity(storage::Unit& unit, const Actor& actor, std::string_view action,
                          const Agent& agent, const std::string& details) {
    core_.journal.activity(unit, actor,
                           {agent.company_id, action, "agent", agent.id.str(), details});
}

void Agents::add_create(storage::Unit& unit, const Actor& actor, Agent& agent,
                        Directory& directory) {
    agent.id = core_.ids.next();
    agent.created_at = agent.updated_at = core_.clock.now();
    agent.adapter_config = normalize_adapter_config(agent.adapter_config);
    agent.runtime_config = with_runtime_defaults(agent.runtime_config);
    check(agent, directory);
    make_unique(agent, directory);
    unit.add_row("agent.insert"_sql, agent).taken([] {
        throw Error(ErrorKind::conflict, "Another agent took the same name; try again");
    });
    if (agent.budget_monthly.micros > 0) {
        ledger_.set_monthly_limit(unit, actor, agent.company_id, agent.id, agent.budget_monthly);
    }
    std::string details;
    JsonWriter(details)
        .begin_object()
        .member("name", agent.name)
        .member("role", word(agent.role))
        .member("adapterType", agent.adapter_type)
        .end_object();
    log_activity(unit, actor, "agent.created", agent, details);
    directory.put(agent);
}

AgentView Agents::create(const Actor& actor, const Id& company, const Patch<Agent>& input) {
    Directory directory(core_.store);
    Agent agent = input.value;
    agent.company_id = company;
    if (!input.has(&Agent::permissions)) agent.permissions = default_permissions(agent.role);
    storage::Unit unit = core_.store.unit();
    add_create(unit, actor, agent, directory);
    core_.store.submit(unit);
    return show(agent, directory.chain_of(agent), {});
}

Agent Agents::get(const Id& id) {
    auto agent = core_.store.one<Agent>("agent.by_id"_sql, {{"id", id}});
    if (!agent) not_found();
    return *agent;
}

std::vector<Agent> Agents::near(const Agent& agent) {
    return core_.store.all<Agent>(
        "agent.near"_sql,
        {{"company_id", agent.company_id}, {"id", agent.id}, {"manager", agent.reports_to}});
}

std::vector<Agent> Agents::roster(const Id& company) {
    return core_.store.all<Agent>("agent.of_company"_sql, {{"company_id", company}});
}

AgentView Agents::view(const Agent& agent) {
    const Money spent = ledger_.spent_this_month(agent.company_id, agent.id);
    return show(agent, Directory(core_.store).chain_of(agent), spent);
}

OrgChainHealth Agents::health(const Agent& agent) {
    return health_of(Directory(core_.store).chain_of(agent));
}

AgentDetail Agents::detail(const Id& id) {
    const Agent agent = get(id);
    AgentDetail detail;
    static_cast<AgentView&>(detail) = view(agent);
    detail.chain_of_command = chain_of_command(Directory(core_.store).chain_of(agent));
    detail.access.can_assign_tasks = agent.permissions.can_assign_tasks.value_or(true);
    detail.access.task_assign_source = agent.role == AgentRole::ceo          ? "ceo_role"
                                       : agent.permissions.can_create_agents ? "agent_creator"
                                       : agent.permissions.can_assign_tasks  ? "explicit_grant"
                                                                             : "simple_default";
    return detail;
}

std::vector<AgentView> Agents::list(const Id& company, const Actor& actor) {
    const auto everybody = roster(company);
    const OrgChart chart(everybody);
    auto spent = ledger_.spent_by_agents(company);
    std::vector<AgentView> list;
    for (const Agent& agent : everybody) {
        if (agent.status == AgentStatus::terminated) continue;
        list.push_back(show(agent, chart.chain_of(agent), spent[agent.id]));
        if (actor.is_agent()) list.back().adapter_config = list.back().runtime_config = Json{};
    }
    return list;
}

std::vector<OrgNode> Agents::org(const Id& company) {
    const auto everybody = roster(company);
    return OrgChart(everybody).forest();
}

void Agents::add_patch(storage::Unit& unit, const Actor& actor, const Agent& agent,
                       Patch<Agent> change, Directory& directory) {
    const std::string details = changed_members(change);
    Agent after = agent;
    change.apply_to(after);
    if (change.has(&Agent::adapter_config)) {
        after.adapter_config = normalize_adapter_config(after.adapter_config);
        change.set(&Agent::adapter_config, after.adapter_config);
    }
    check(after, directory);
    if (change.has(&Agent::name) && slug_of(after.name) != agent.url_key) {
        make_unique(after, directory);
        change.set(&Agent::name, after.name);
        change.set(&Agent::url_key, after.url_key);
    }
    directory.put(after);
    change.set(&Agent::updated_at, core_.clock.now());
    std::vector<std::string_view> parts;
    if (change.has(&Agent::adapter_config)) parts.push_back("config");
    unit.add_patch("agent.patch"_sql, change, parts,
                   {{"id", agent.id}, {"seen_config", agent.adapter_config}})
        .otherwise([this, id = agent.id] {
            if (get(id).status == AgentStatus::terminated) {
                throw Error(ErrorKind::conflict, "Agent is terminated");
            }
        })
        .taken([] {
            throw Error(ErrorKind::conflict, "Another agent took the same name; try again");
        });
    if (change.has(&Agent::budget_monthly)) {
        ledger_.set_monthly_limit(unit, actor, agent.company_id, agent.id, after.budget_monthly);
    }
    // What is configured may be a secret, so the journal says that it changed, not to what.
    const bool config = change.has(&Agent::adapter_config) || change.has(&Agent::runtime_config);
    log_activity(unit, actor, "agent.updated", agent,
                 config ? R"({"changedTopLevelKeys":["adapterConfig"]})" : details);
}

void Agents::add_chart_guard(storage::Unit& unit, const Id& id) {
    unit.add("agent.is_in_chart"_sql, {{"id", id}}).otherwise([] { refuse_cycle(); });
}

AgentView Agents::patch(const Actor& actor, const Id& id, const Patch<Agent>& input,
                        bool replace_adapter_config) {
    constexpr int k_attempts = 10;
    for (int attempt = 1;; ++attempt) {
        try {
            submit_patch(actor, get(id), input, replace_adapter_config);
            return view(get(id));
        } catch (const storage::Conflict&) {
            // Another change of the configuration came between; ours is merged into that one.
            if (attempt == k_attempts) throw;
        }
    }
}

void Agents::submit_patch(const Actor& actor, const Agent& agent, const Patch<Agent>& input,
                          bool replace_adapter_config) {
    Directory directory(core_.store);
    Patch<Agent> change = input;
    const bool same_type =
        !change.has(&Agent::adapter_type) || change.value.adapter_type == agent.adapter_type;
    if (change.has(&Agent::adapter_config) && same_type && !replace_adapter_config) {
        change.set(&Agent::adapter_config,
                   merge_objects(agent.adapter_config, change.value.adapter_config));
    }
    if (change.has(&Agent::runtime_config)) {
        change.set(&Agent::runtime_config, with_runtime_defaults(change.value.runtime_config));
    }
    storage::Unit unit = core_.store.unit();
    const bool moved = change.has(&Agent::reports_to);
    add_patch(unit, actor, agent, std::move(change), directory);
    if (moved) add_chart_guard(unit, agent.id);
    core_.store.submit(unit);
}

AgentDetail Agents::set_permissions(const Actor& actor, const Id& id,
                                    const Permissions& permissions) {
    const Agent agent = get(id);
    Patch<Agent> change;
    change.set(&Agent::permissions, permissions);
    change.set(&Agent::updated_at, core_.clock.now());
    storage::Unit unit = core_.store.unit();
    unit.add_patch("agent.patch"_sql, change, {}, {{"id", id}}).otherwise([] { not_found(); });
    log_activity(unit, actor, "agent.permissions_updated", agent, to_json(permissions));
    core_.store.submit(unit);
    return detail(id);
}

AgentView Agents::clear_error(const Actor& actor, const Id& id) {
    Agent agent = get(id);
    storage::Unit unit = core_.store.unit();
    unit.add("agent.clear_error"_sql, {{"id", id}, {"now", core_.clock.now()}})
        .into(agent)
        .otherwise([] { throw Error(ErrorKind::conflict, "Agent is not in error"); });
    log_activity(unit, actor, "agent.error_cleared", agent);
    core_.store.submit(unit);
    return view(agent);
}

storage::Unit::Added Agents::add_pause(storage::Unit& unit, const Actor& actor, const Agent& agent,
                                       std::string_view reason) {
    std::string details;
    JsonWriter(details).begin_object().member("reason", reason).end_object();
    log_activity(unit, actor, "agent.paused", agent, details);
    return unit.add("agent.pause"_sql,
                    {{"id", agent.id}, {"reason", reason}, {"now", core_.clock.now()}});
}

storage::Unit::Added Agents::add_resume(storage::Unit& unit, const Actor& actor,
                                        const Agent& agent) {
    log_activity(unit, actor, "agent.resumed", agent);
    return unit.add("agent.resume"_sql, {{"id", agent.id}, {"now", core_.clock.now()}});
}

storage::Unit::Added Agents::add_terminate(storage::Unit& unit, const Actor& actor,
                                           const Agent& agent) {
    log_activity(unit, actor, "agent.terminated", agent);
    keys_.add_revoke_all(unit, agent.id);
    return unit.add("agent.terminate"_sql, {{"id", agent.id}, {"now", core_.clock.now()}});
}

void add_sql(storage::Catalogue& catalogue) {
    catalogue.add_struct<Agent>();
    catalogue.add(storage::agents_sql());
}

}  // namespace paperclip::agents
