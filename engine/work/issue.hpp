#pragma once

#include "engine/base/described.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::work {

enum class IssueStatus { backlog, todo, in_progress, in_review, done, blocked, cancelled };
BOOST_DESCRIBE_ENUM(IssueStatus, backlog, todo, in_progress, in_review, done, blocked, cancelled)

enum class IssuePriority { critical, high, medium, low };
BOOST_DESCRIBE_ENUM(IssuePriority, critical, high, medium, low)

enum class WorkMode { standard, ask, planning, skill_test };
BOOST_DESCRIBE_ENUM(WorkMode, standard, ask, planning, skill_test)

constexpr bool is_terminal(IssueStatus status) {
    return status == IssueStatus::done || status == IssueStatus::cancelled;
}

/// What an issue is about and who has it.
struct IssueCore {
    Id id;
    Id company_id;
    std::optional<Id> project_id;
    std::optional<Id> project_workspace_id;
    std::optional<Id> goal_id;
    std::optional<Id> parent_id;
    std::string title;
    std::optional<std::string> description;
    IssueStatus status = IssueStatus::backlog;
    std::int64_t status_version = 0;  ///< grows with each change of status
    WorkMode work_mode = WorkMode::standard;
    IssuePriority priority = IssuePriority::medium;
    std::optional<Id> assignee_agent_id;
    std::optional<std::string> assignee_user_id;
    std::optional<Id> created_by_agent_id;
    std::optional<std::string> created_by_user_id;
    std::optional<std::string> responsible_user_id;
    std::optional<std::int64_t> issue_number;
    std::optional<std::string> identifier;  ///< "ACM-12"
    std::string origin_kind = "manual";
    std::optional<std::string> origin_id;
    std::optional<Id> origin_run_id;
    std::string origin_fingerprint = "default";
    std::int64_t request_depth = 0;
    std::optional<std::string> billing_code;
    std::optional<Time> started_at;
    std::optional<Time> completed_at;
    std::optional<Time> cancelled_at;
    std::optional<Time> hidden_at;
    std::int64_t row_version = 0;  ///< grows with each change of status, assignee or lease
    Time created_at;
    Time updated_at;
};
BOOST_DESCRIBE_STRUCT(IssueCore, (),
                      (id, company_id, project_id, project_workspace_id, goal_id, parent_id, title,
                       description, status, status_version, work_mode, priority, assignee_agent_id,
                       assignee_user_id, created_by_agent_id, created_by_user_id,
                       responsible_user_id, issue_number, identifier, origin_kind, origin_id,
                       origin_run_id, origin_fingerprint, request_depth, billing_code, started_at,
                       completed_at, cancelled_at, hidden_at, row_version, created_at, updated_at))

/// How an issue is worked on. The four lock fields of the API are the one lease: the run that holds
/// it, and whether that run has checked the issue out.
struct IssueExecution {
    std::optional<Id> checkout_run_id;
    std::optional<Id> execution_run_id;
    std::optional<std::string> execution_agent_name_key;
    std::optional<Time> execution_locked_at;
    std::optional<Json> assignee_adapter_overrides;
    std::optional<Json> execution_policy;
    std::optional<Json> execution_state;
    std::optional<Id> execution_workspace_id;
    std::optional<std::string> execution_workspace_preference;
    std::optional<Json> execution_workspace_settings;
};
BOOST_DESCRIBE_STRUCT(IssueExecution, (),
                      (checkout_run_id, execution_run_id, execution_agent_name_key,
                       execution_locked_at, assignee_adapter_overrides, execution_policy,
                       execution_state, execution_workspace_id, execution_workspace_preference,
                       execution_workspace_settings))

struct Issue : IssueCore, IssueExecution {};
BOOST_DESCRIBE_STRUCT(Issue, (IssueCore, IssueExecution), ())

/// Another issue in a few words.
struct IssueLink {
    Id id;
    std::optional<std::string> identifier;
    std::string title;
    IssueStatus status = IssueStatus::backlog;
    IssuePriority priority = IssuePriority::medium;
    std::optional<Id> assignee_agent_id;
    std::optional<std::string> assignee_user_id;
};
BOOST_DESCRIBE_STRUCT(IssueLink, (),
                      (id, identifier, title, status, priority, assignee_agent_id,
                       assignee_user_id))

/// An issue as the API shows it.
struct IssueView : Issue {
    std::vector<IssueLink> blocked_by;
    std::vector<IssueLink> blocks;
    std::vector<IssueLink> ancestors;
    std::optional<bool> deduplicated;
    std::optional<std::string> deduplication_reason;
};
BOOST_DESCRIBE_STRUCT(IssueView, (Issue),
                      (blocked_by, blocks, ancestors, deduplicated, deduplication_reason))

/// An issue as a body gives it.
struct IssueInput : Issue {
    std::optional<std::vector<Id>> blocked_by_issue_ids;
    std::optional<std::string> idempotency_key;
    bool allow_duplicate = false;
    std::optional<std::string> comment;
    bool reopen = false;
    bool resume = false;
};
BOOST_DESCRIBE_STRUCT(IssueInput, (Issue),
                      (blocked_by_issue_ids, idempotency_key, allow_duplicate, comment, reopen,
                       resume))

/// Moves `issue` to `status` with what follows from it: times and version. Leaving in_progress ends
/// the lease, which is the statement's part.
void apply_status(Issue& issue, IssueStatus status, Time now);

}  // namespace paperclip::work

template <>
struct paperclip::Rules<paperclip::work::IssueCore> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"id", {.access = Access::engine}},
        {"company_id", {.access = Access::engine}},
        {"title", {.required = true, .min = 1, .max = 500}},
        {"description", {.max = 200'000}},
        {"status_version", {.access = Access::engine}},
        {"created_by_agent_id", {.access = Access::engine}},
        {"created_by_user_id", {.access = Access::engine}},
        {"responsible_user_id", {.min = 1, .max = 200}},
        {"issue_number", {.access = Access::engine}},
        {"identifier", {.access = Access::engine}},
        {"origin_kind", {.access = Access::engine}},
        {"origin_id", {.access = Access::engine}},
        {"origin_run_id", {.access = Access::engine}},
        {"origin_fingerprint", {.access = Access::engine}},
        {"request_depth", {.access = Access::on_create, .min = 0, .max = 1024}},
        {"billing_code", {.max = 200}},
        {"started_at", {.access = Access::engine}},
        {"completed_at", {.access = Access::engine}},
        {"cancelled_at", {.access = Access::engine}},
        {"row_version", {.access = Access::engine, .sent = false}},
        {"created_at", {.access = Access::engine}},
        {"updated_at", {.access = Access::engine}},
    });
};
template <>
struct paperclip::Rules<paperclip::work::IssueExecution> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"checkout_run_id",
         {.access = Access::engine,
          .column = "case when issue.lease_checked_out = 1 then issue.lease_run_id end"}},
        {"execution_run_id", {.access = Access::engine, .column = "issue.lease_run_id"}},
        {"execution_agent_name_key",
         {.access = Access::engine,
          .column = "case when issue.lease_run_id is not null then (select holder.url_key from "
                    "agent holder where holder.id = issue.assignee_agent_id) end"}},
        {"execution_locked_at", {.access = Access::engine, .column = "issue.lease_at"}},
        {"assignee_adapter_overrides", {.format = "json-object"}},
        {"execution_policy", {.format = "json-object"}},
        {"execution_state", {.access = Access::engine}},
        {"execution_workspace_preference", {.max = 100}},
        {"execution_workspace_settings", {.format = "json-object"}},
    });
};
template <>
struct paperclip::Rules<paperclip::work::IssueInput> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"blocked_by_issue_ids", {.max = 100}},
        {"idempotency_key", {.access = Access::on_create, .min = 1, .max = 200}},
        {"allow_duplicate", {.access = Access::on_create}},
        {"comment", {.min = 1, .max = 100'000}},
    });
};
