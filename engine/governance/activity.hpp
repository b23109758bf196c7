#pragma once

#include "engine/base/described.hpp"
#include "engine/journal/core.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::governance {

/// An act of somebody, as the activity log shows it: a record of the journal.
struct ActivityRow {
    Id id;
    Id company_id;
    std::string actor_type;
    std::string actor_id;
    std::string action;
    std::string entity_type;
    std::string entity_id;
    std::optional<Id> agent_id;
    std::optional<Id> run_id;
    std::optional<std::string> responsible_user_id;
    std::optional<Json> details;
    Time created_at;
};
BOOST_DESCRIBE_STRUCT(ActivityRow, (),
                      (id, company_id, actor_type, actor_id, action, entity_type, entity_id,
                       agent_id, run_id, responsible_user_id, details, created_at))

struct ActivityFilter {
    std::optional<Id> agent_id;
    std::optional<std::string> entity_type;
    std::optional<std::string> entity_id;
    std::int64_t limit = 100;
};
BOOST_DESCRIBE_STRUCT(ActivityFilter, (), (agent_id, entity_type, entity_id, limit))

/// Newest first.
std::vector<ActivityRow> list_activity(storage::Store& store, const Id& company,
                                       const ActivityFilter& filter);

struct DashboardAgents {
    std::int64_t active = 0;
    std::int64_t running = 0;
    std::int64_t paused = 0;
    std::int64_t error = 0;
};
BOOST_DESCRIBE_STRUCT(DashboardAgents, (), (active, running, paused, error))

struct DashboardTasks {
    std::int64_t open = 0;
    std::int64_t in_progress = 0;
    std::int64_t blocked = 0;
    std::int64_t done = 0;
};
BOOST_DESCRIBE_STRUCT(DashboardTasks, (), (open, in_progress, blocked, done))

struct DashboardCosts {
    Money month_spend;
    Money month_budget;
    double month_utilization_percent = 0;
};
BOOST_DESCRIBE_STRUCT(DashboardCosts, (), (month_spend, month_budget, month_utilization_percent))

struct DashboardBudgets {
    std::int64_t active_incidents = 0;
    std::int64_t pending_approvals = 0;
    std::int64_t paused_agents = 0;
    std::int64_t paused_projects = 0;
};
BOOST_DESCRIBE_STRUCT(DashboardBudgets, (),
                      (active_incidents, pending_approvals, paused_agents, paused_projects))

/// The runs that ended on one day.
struct DashboardDay {
    std::string date;
    std::int64_t succeeded = 0;
    std::int64_t failed = 0;
    std::int64_t recovered = 0;
    std::int64_t other = 0;
    std::int64_t total = 0;
    std::map<std::string, std::int64_t> failed_by_error_code;
};
BOOST_DESCRIBE_STRUCT(DashboardDay, (),
                      (date, succeeded, failed, recovered, other, total, failed_by_error_code))

struct Dashboard {
    Id company_id;
    DashboardAgents agents;
    DashboardTasks tasks;
    DashboardCosts costs;
    std::int64_t pending_approvals = 0;
    DashboardBudgets budgets;
    std::vector<DashboardDay> run_activity;
};
BOOST_DESCRIBE_STRUCT(Dashboard, (),
                      (company_id, agents, tasks, costs, pending_approvals, budgets, run_activity))

/// A company in figures, of the last fourteen days.
Dashboard dashboard_of(const Core& core, const Id& company, Money budget, Money spent);

}  // namespace paperclip::governance

template <>
struct paperclip::Rules<paperclip::governance::ActivityRow> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"id", {.column = "record_id"}},
        {"created_at", {.column = "at"}},
    });
};
template <>
struct paperclip::Rules<paperclip::governance::ActivityFilter> {
    static constexpr auto table = std::to_array<NamedRule>({{"limit", {.min = 1, .max = 500}}});
};
template <>
struct paperclip::Rules<paperclip::governance::DashboardCosts> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"month_spend", {.wire = "monthSpendCents"}},
        {"month_budget", {.wire = "monthBudgetCents"}},
    });
};
