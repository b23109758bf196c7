#pragma once

#include "engine/declaration/agent_entry.hpp"
#include "engine/declaration/work_entry.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::declaration {

constexpr std::string_view k_schema = "paperclip.company/v1";
/// The file of a declaration's folder that the others are referred to from.
constexpr std::string_view k_company_file = "company.yaml";

/// Who must agree to an act. The requester is never the approver; silence never means yes.
struct ApprovalEntry {
    std::vector<std::string> approvers;
    std::optional<std::int64_t> quorum;
    std::optional<Span> expires;
    std::optional<Dollars> auto_approve_below;
};
BOOST_DESCRIBE_STRUCT(ApprovalEntry, (), (approvers, quorum, expires, auto_approve_below))

/// What is told to whom; with `cron`, gathered until then.
struct NotifyEntry {
    std::vector<std::string> events;
    std::string via;
    std::optional<Json> config;
    std::optional<std::string> cron;
};
BOOST_DESCRIBE_STRUCT(NotifyEntry, (), (events, via, config, cron))

/// company.yaml. The order of the members is the order in which they are written.
struct Document {
    std::string schema;
    std::string slug;
    std::string name;
    std::optional<std::string> mission;
    std::optional<std::string> timezone;
    std::vector<SecretEntry> secrets;
    Keyed<GoalEntry> goals;
    std::optional<AgentSettings> defaults;
    Keyed<RoleEntry> roles;
    Keyed<AgentEntry> agents;
    std::vector<BudgetEntry> budgets;
    Keyed<ProjectEntry> projects;
    Keyed<IssueEntry> issues;
    Keyed<RoutineEntry> routines;
    Keyed<ApprovalEntry> approvals;
    std::vector<NotifyEntry> notify;
};
BOOST_DESCRIBE_STRUCT(Document, (),
                      (schema, slug, name, mission, timezone, secrets, goals, defaults, roles,
                       agents, budgets, projects, issues, routines, approvals, notify))

/// The JSON Schema (draft 2020-12) of company.yaml, for editors and CI.
std::string json_schema();

}  // namespace paperclip::declaration

template <>
struct paperclip::Rules<paperclip::declaration::ApprovalEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"approvers", {.required = true, .min = 1, .max = 50}},
        {"quorum", {.min = 1, .max = 50}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::NotifyEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"events", {.required = true, .min = 1, .max = 100}},
        {"via", {.required = true, .min = 1, .max = 100}},
        {"config", {.format = "json-object"}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::Document> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"schema", {.required = true, .doc = "paperclip.company/v1"}},
        {"slug", {.required = true, .doc = "The company's identity; it never changes"}},
        {"name", {.required = true, .min = 1, .max = 200}},
        {"mission", {.max = 20'000}},
        {"timezone", {.doc = "IANA name: of every cron, quiet hour and budget month"}},
    });
};
