#pragma once

#include "engine/declaration/keyed.hpp"
#include "engine/declaration/values.hpp"
#include "engine/work/goal.hpp"
#include "engine/work/issue.hpp"
#include "engine/work/project.hpp"

#include <optional>
#include <string>
#include <vector>

// What a declaration says of work: `goals:`, `projects:`, `issues:` and `routines:`.

namespace paperclip::declaration {

struct GoalEntry {
    std::string title;
    std::optional<std::string> description;
    std::optional<work::GoalLevel> level;
    std::optional<work::GoalStatus> status;
    std::optional<std::string> parent;
    std::optional<std::string> owner;
    std::optional<std::string> target_date;
    std::optional<std::string> renamed_from;
};
BOOST_DESCRIBE_STRUCT(GoalEntry, (),
                      (title, description, level, status, parent, owner, target_date, renamed_from))

enum class WorkspaceStrategy { shared, git_worktree };
BOOST_DESCRIBE_ENUM(WorkspaceStrategy, shared, git_worktree)

struct WorkspaceEntry {
    std::optional<std::string> cwd;
    std::optional<std::string> repo_url;
    std::optional<std::string> repo_ref;
    std::optional<WorkspaceStrategy> strategy;
};
BOOST_DESCRIBE_STRUCT(WorkspaceEntry, (), (cwd, repo_url, repo_ref, strategy))

struct ProjectEntry {
    std::string name;
    std::optional<std::string> description;
    std::optional<work::ProjectStatus> status;
    std::optional<std::string> lead;
    std::optional<std::vector<std::string>> goals;
    std::optional<std::string> target_date;
    std::optional<std::string> color;
    std::optional<WorkspaceEntry> workspace;
    std::optional<std::string> renamed_from;
};
BOOST_DESCRIBE_STRUCT(ProjectEntry, (),
                      (name, description, status, lead, goals, target_date, color, workspace,
                       renamed_from))

/// A seed: created once, never rewritten.
struct IssueEntry {
    std::string title;
    std::optional<std::string> description;
    std::optional<std::string> project;
    std::optional<std::string> goal;
    std::optional<std::string> parent;
    std::optional<std::string> assignee;
    std::optional<work::IssuePriority> priority;
    std::optional<std::vector<std::string>> blocked_by;
};
BOOST_DESCRIBE_STRUCT(IssueEntry, (),
                      (title, description, project, goal, parent, assignee, priority, blocked_by))

enum class SigningMode { none, hmac_sha256, github_hmac, bearer };
BOOST_DESCRIBE_ENUM(SigningMode, none, hmac_sha256, github_hmac, bearer)

struct WebhookEntry {
    std::optional<SigningMode> signing_mode;
    std::optional<std::string> secret;
};
BOOST_DESCRIBE_STRUCT(WebhookEntry, (), (signing_mode, secret))

/// Work that comes again: by the clock, or when somebody calls a web hook.
struct RoutineEntry {
    std::string title;
    std::optional<std::string> description;
    std::optional<std::string> assignee;
    std::optional<std::string> project;
    std::optional<std::string> goal;
    std::optional<std::string> cron;
    std::optional<std::string> timezone;
    std::optional<std::string> catch_up_policy;
    std::optional<std::vector<std::string>> variables;
    std::optional<WebhookEntry> webhook;
};
BOOST_DESCRIBE_STRUCT(RoutineEntry, (),
                      (title, description, assignee, project, goal, cron, timezone, catch_up_policy,
                       variables, webhook))

}  // namespace paperclip::declaration

template <>
struct paperclip::Rules<paperclip::declaration::GoalEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"title", {.required = true, .min = 1, .max = 500}},
        {"description", {.max = 50'000}},
        {"target_date", {.format = "date"}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::WorkspaceEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"cwd", {.min = 1, .max = 4'000}},
        {"repo_url", {.min = 1, .max = 2'000}},
        {"repo_ref", {.min = 1, .max = 200}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::ProjectEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"name", {.required = true, .min = 1, .max = 200}},
        {"description", {.max = 50'000}},
        {"target_date", {.format = "date"}},
        {"color", {.format = "color"}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::IssueEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"title", {.required = true, .min = 1, .max = 500}},
        {"description", {.max = 200'000}},
        {"blocked_by", {.max = 100}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::RoutineEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"title", {.required = true, .min = 1, .max = 500}},
        {"description", {.max = 200'000}},
    });
};
