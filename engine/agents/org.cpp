#include "engine/agents/org.hpp"

#include <algorithm>

namespace paperclip::agents {

using storage::operator""_sql;

namespace {

/// Writes refuse cycles, so this only bounds the walk through data that is broken anyway.
constexpr std::size_t k_longest_chain = 1000;

ChainLink link_of(const Agent& agent, std::size_t depth) {
    return {agent.id,
            agent.company_id,
            agent.name,
            agent.status,
            agent.reports_to,
            static_cast<std::int64_t>(depth),
            depth == 0 ? ChainRelation::self : ChainRelation::ancestor};
}

template <class Find>
std::vector<Agent> walk_up(const Agent& agent, const Find& find) {
    std::vector<Agent> chain{agent};
    while (chain.back().reports_to && chain.size() < k_longest_chain) {
        std::optional<Agent> manager = find(*chain.back().reports_to);
        if (!manager) break;
        const bool cycle = std::any_of(chain.begin(), chain.end(),
                                       [&](const Agent& known) { return known.id == manager->id; });
        if (cycle) break;
        chain.push_back(std::move(*manager));
    }
    return chain;
}

}  // namespace

std::optional<Agent> Directory::find(const Id& id) {
    if (const auto pending = pending_.find(id); pending != pending_.end()) return pending->second;
    return store_.one<Agent>("agent.by_id"_sql, {{"id", id}});
}

bool Directory::is_taken(const Agent& agent, const std::string& key) {
    const auto taken_by = [&](const Agent& other) {
        return other.id != agent.id && other.company_id == agent.company_id &&
               other.url_key == key && other.status != AgentStatus::terminated;
    };
    for (const auto& [id, pending] : pending_) {
        if (taken_by(pending)) return true;
    }
    const auto stored = store_.one<Agent>("agent.by_url_key"_sql,
                                          {{"company_id", agent.company_id}, {"url_key", key}});
    return stored && !pending_.contains(stored->id) && taken_by(*stored);
}

std::vector<Agent> Directory::chain_of(const Agent& agent) {
    return walk_up(agent, [&](const Id& id) { return find(id); });
}

OrgChainHealth health_of(std::span<const Agent> chain) {
    OrgChainHealth health;
    for (std::size_t depth = 0; depth < chain.size(); ++depth) {
        const ChainLink link = link_of(chain[depth], depth);
        health.full_chain.push_back(link);
        if (depth > 0 && link.status == AgentStatus::terminated) {
            health.invalid_ancestors.push_back(link);
        }
        if (depth > 0 && link.status == AgentStatus::paused) {
            health.paused_ancestors.push_back(link);
        }
    }
    if (!health.invalid_ancestors.empty()) {
        health.status = "invalid_org_chain";
        health.reason = "terminated_ancestor";
        health.first_invalid_ancestor = health.invalid_ancestors.front();
        health.repair_guidance =
            "Give " + chain.front().name + " a manager who is not terminated, or none.";
    }
    if (!health.paused_ancestors.empty()) {
        health.escalation_warning =
            health.paused_ancestors.front().name + " is paused and will not answer escalations.";
    }
    return health;
}

std::vector<ManagerLink> chain_of_command(std::span<const Agent> chain) {
    std::vector<ManagerLink> managers;
    for (const Agent& agent : chain.subspan(1)) {
        managers.push_back({agent.id, agent.name, agent.role, agent.title});
    }
    return managers;
}

OrgChart::OrgChart(std::span<const Agent> agents) : agents_(agents) {
    for (const Agent& agent : agents) {
        by_id_.emplace(agent.id, &agent);
        const bool works = agent.status != AgentStatus::terminated;
        if (works && agent.reports_to) reports_[*agent.reports_to].push_back(&agent);
    }
}

std::vector<Agent> OrgChart::chain_of(const Agent& agent) const {
    return walk_up(agent, [&](const Id& id) -> std::optional<Agent> {
        const auto found = by_id_.find(id);
        if (found == by_id_.end()) return std::nullopt;
        return *found->second;
    });
}

OrgNode OrgChart::node(const Agent& agent) const {
    OrgNode node{agent.id, agent.name, agent.role, agent.status, {}};
    if (const auto reports = reports_.find(agent.id); reports != reports_.end()) {
        for (const Agent* report : reports->second) node.reports.push_back(this->node(*report));
    }
    return node;
}

std::vector<OrgNode> OrgChart::forest() const {
    std::vector<OrgNode> roots;
    for (const Agent& agent : agents_) {
        if (agent.status == AgentStatus::terminated) continue;
        const auto manager = agent.reports_to ? by_id_.find(*agent.reports_to) : by_id_.end();
        const bool has_manager =
            manager != by_id_.end() && manager->second->status != AgentStatus::terminated;
        if (!has_manager) roots.push_back(node(agent));
    }
    return roots;
}

}  // namespace paperclip::agents
