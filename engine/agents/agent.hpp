#pragma once

#include "engine/base/described.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::agents {

enum class AgentStatus { active, paused, idle, running, error, pending_approval, terminated };
BOOST_DESCRIBE_ENUM(AgentStatus, active, paused, idle, running, error, pending_approval, terminated)

enum class AgentRole {
    ceo,
    cto,
    cmo,
    cfo,
    security,
    engineer,
    designer,
    pm,
    qa,
    devops,
    researcher,
    general
};
BOOST_DESCRIBE_ENUM(AgentRole, ceo, cto, cmo, cfo, security, engineer, designer, pm, qa, devops,
                    researcher, general)

/// What an agent may do beyond its own work.
struct Permissions {
    bool can_create_agents = false;
    bool can_create_skills = false;
    std::optional<bool> can_assign_tasks;
};
BOOST_DESCRIBE_STRUCT(Permissions, (), (can_create_agents, can_create_skills, can_assign_tasks))

struct Agent {
    Id id;
    Id company_id;
    std::string name;
    std::string url_key;  ///< slug of the name, unique in the company
    AgentRole role = AgentRole::general;
    std::optional<std::string> title;
    std::optional<std::string> icon;
    AgentStatus status = AgentStatus::idle;
    std::optional<Id> reports_to;
    std::optional<std::string> capabilities;
    std::string adapter_type = "process";
    Json adapter_config;
    Json runtime_config;  ///< see heartbeat_policy.hpp
    std::optional<Id> default_environment_id;
    Money budget_monthly;
    Money spent_monthly;
    std::optional<std::string> pause_reason;
    std::optional<Time> paused_at;
    std::optional<std::string> error_reason;
    Permissions permissions;
    std::optional<Time> last_heartbeat_at;
    std::optional<Json> metadata;
    Time created_at;
    Time updated_at;

    /// May it be given work?
    [[nodiscard]] bool is_invokable() const {
        return status != AgentStatus::paused && status != AgentStatus::terminated &&
               status != AgentStatus::pending_approval;
    }
};
BOOST_DESCRIBE_STRUCT(Agent, (),
                      (id, company_id, name, url_key, role, title, icon, status, reports_to,
                       capabilities, adapter_type, adapter_config, runtime_config,
                       default_environment_id, budget_monthly, spent_monthly, pause_reason,
                       paused_at, error_reason, permissions, last_heartbeat_at, metadata,
                       created_at, updated_at))

enum class ChainRelation { self, ancestor };
BOOST_DESCRIBE_ENUM(ChainRelation, self, ancestor)

/// An agent's place in the line from itself to the top.
struct ChainLink {
    Id id;
    Id company_id;
    std::string name;
    AgentStatus status = AgentStatus::idle;
    std::optional<Id> reports_to;
    std::int64_t depth = 0;
    ChainRelation relation = ChainRelation::self;
};
BOOST_DESCRIBE_STRUCT(ChainLink, (), (id, company_id, name, status, reports_to, depth, relation))

/// Whether an agent's managers are all there: work below a terminated manager is nobody's.
struct OrgChainHealth {
    std::string status = "healthy";
    std::string reason = "healthy";
    std::vector<ChainLink> full_chain;
    std::optional<ChainLink> first_invalid_ancestor;
    std::vector<ChainLink> invalid_ancestors;
    std::optional<std::string> repair_guidance;
    std::vector<ChainLink> paused_ancestors;
    std::optional<std::string> escalation_warning;
    [[nodiscard]] bool is_healthy() const { return invalid_ancestors.empty(); }
};
BOOST_DESCRIBE_STRUCT(OrgChainHealth, (),
                      (status, reason, full_chain, first_invalid_ancestor, invalid_ancestors,
                       repair_guidance, paused_ancestors, escalation_warning))

/// An agent as the API shows it.
struct AgentView : Agent {
    OrgChainHealth org_chain_health;
};
BOOST_DESCRIBE_STRUCT(AgentView, (Agent), (org_chain_health))

struct ManagerLink {
    Id id;
    std::string name;
    AgentRole role = AgentRole::general;
    std::optional<std::string> title;
};
BOOST_DESCRIBE_STRUCT(ManagerLink, (), (id, name, role, title))

struct AgentAccess {
    bool can_assign_tasks = true;
    std::string task_assign_source = "simple_default";
};
BOOST_DESCRIBE_STRUCT(AgentAccess, (), (can_assign_tasks, task_assign_source))

struct AgentDetail : AgentView {
    std::vector<ManagerLink> chain_of_command;
    AgentAccess access;
};
BOOST_DESCRIBE_STRUCT(AgentDetail, (AgentView), (chain_of_command, access))

struct OrgNode {
    Id id;
    std::string name;
    AgentRole role = AgentRole::general;
    AgentStatus status = AgentStatus::idle;
    std::vector<OrgNode> reports;
};
BOOST_DESCRIBE_STRUCT(OrgNode, (), (id, name, role, status, reports))

}  // namespace paperclip::agents

template <>
struct paperclip::Rules<paperclip::agents::Agent> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"id", {.access = Access::engine}},
        {"company_id", {.access = Access::engine}},
        {"name", {.required = true, .min = 1, .max = 120}},
        {"url_key", {.access = Access::engine}},
        {"title", {.max = 200}},
        {"icon", {.max = 40}},
        {"status", {.access = Access::engine}},
        {"capabilities", {.max = 10'000}},
        {"adapter_type", {.min = 1, .max = 100}},
        {"adapter_config", {.format = "json-object"}},
        {"runtime_config", {.format = "json-object"}},
        {"budget_monthly", {.wire = "budgetMonthlyCents"}},
        {"spent_monthly", {.access = Access::engine, .wire = "spentMonthlyCents", .column = "0"}},
        {"pause_reason", {.access = Access::engine}},
        {"paused_at", {.access = Access::engine}},
        {"error_reason", {.access = Access::engine}},
        {"permissions", {.access = Access::on_create}},
        {"last_heartbeat_at", {.access = Access::engine}},
        {"metadata", {.format = "json-object"}},
        {"created_at", {.access = Access::engine}},
        {"updated_at", {.access = Access::engine}},
    });
};
