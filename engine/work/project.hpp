#pragma once

#include "engine/base/described.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::work {

enum class ProjectStatus { backlog, planned, in_progress, completed, cancelled };
BOOST_DESCRIBE_ENUM(ProjectStatus, backlog, planned, in_progress, completed, cancelled)

struct Project {
    Id id;
    Id company_id;
    std::string url_key;
    std::string name;
    std::optional<std::string> description;
    ProjectStatus status = ProjectStatus::backlog;
    std::optional<Id> lead_agent_id;
    std::optional<std::string> target_date;
    std::optional<std::string> color;
    std::optional<std::string> icon;
    std::optional<Json> env;
    std::optional<std::string> pause_reason;
    std::optional<Time> paused_at;
    std::optional<Json> execution_workspace_policy;
    std::optional<Time> archived_at;
    Time created_at;
    Time updated_at;
};
BOOST_DESCRIBE_STRUCT(Project, (),
                      (id, company_id, url_key, name, description, status, lead_agent_id,
                       target_date, color, icon, env, pause_reason, paused_at,
                       execution_workspace_policy, archived_at, created_at, updated_at))

enum class WorkspaceSource { local_path, git_repo, remote_managed, non_git_path };
BOOST_DESCRIBE_ENUM(WorkspaceSource, local_path, git_repo, remote_managed, non_git_path)

enum class Visibility { default_, advanced };
BOOST_DESCRIBE_ENUM(Visibility, default_, advanced)

/// Where the work of a project is done: a folder of this machine, or a repository.
struct Workspace {
    Id id;
    Id company_id;
    Id project_id;
    std::string name;
    WorkspaceSource source_type = WorkspaceSource::local_path;
    std::optional<std::string> cwd;
    std::optional<std::string> repo_url;
    std::optional<std::string> repo_ref;
    std::optional<std::string> default_ref;
    Visibility visibility = Visibility::default_;
    std::optional<std::string> setup_command;
    std::optional<std::string> cleanup_command;
    std::optional<std::string> remote_provider;
    std::optional<std::string> remote_workspace_ref;
    std::optional<std::string> shared_workspace_key;
    std::optional<Json> metadata;
    std::optional<Json> runtime_config;
    bool is_primary = false;
    std::vector<Json> runtime_services;
    Time created_at;
    Time updated_at;
};
BOOST_DESCRIBE_STRUCT(Workspace, (),
                      (id, company_id, project_id, name, source_type, cwd, repo_url, repo_ref,
                       default_ref, visibility, setup_command, cleanup_command, remote_provider,
                       remote_workspace_ref, shared_workspace_key, metadata, runtime_config,
                       is_primary, runtime_services, created_at, updated_at))

struct GoalLink {
    Id id;
    std::string title;
};
BOOST_DESCRIBE_STRUCT(GoalLink, (), (id, title))

/// Which folder and repository a project's runs see.
struct Codebase {
    std::optional<Id> workspace_id;
    std::optional<std::string> repo_url;
    std::optional<std::string> repo_ref;
    std::optional<std::string> default_ref;
    std::optional<std::string> repo_name;
    std::optional<std::string> local_folder;
    std::string managed_folder;
    std::string effective_local_folder;
    std::string origin = "managed_checkout";
};
BOOST_DESCRIBE_STRUCT(Codebase, (),
                      (workspace_id, repo_url, repo_ref, default_ref, repo_name, local_folder,
                       managed_folder, effective_local_folder, origin))

/// A project as the API shows it.
struct ProjectView : Project {
    std::optional<Id> goal_id;
    std::vector<Id> goal_ids;
    std::vector<GoalLink> goals;
    Codebase codebase;
    std::vector<Workspace> workspaces;
    std::optional<Workspace> primary_workspace;
    std::int64_t task_count = 0;
};
BOOST_DESCRIBE_STRUCT(ProjectView, (Project),
                      (goal_id, goal_ids, goals, codebase, workspaces, primary_workspace,
                       task_count))

/// A project as a body gives it.
struct ProjectInput : Project {
    std::optional<Id> goal_id;
    std::optional<std::vector<Id>> goal_ids;
    std::optional<Workspace> workspace;
};
BOOST_DESCRIBE_STRUCT(ProjectInput, (Project), (goal_id, goal_ids, workspace))

}  // namespace paperclip::work

template <>
struct paperclip::Rules<paperclip::work::Project> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"id", {.access = Access::engine}},
        {"company_id", {.access = Access::engine}},
        {"url_key", {.access = Access::engine}},
        {"name", {.required = true, .min = 1, .max = 200}},
        {"description", {.max = 50'000}},
        {"target_date", {.format = "date"}},
        {"color", {.format = "color"}},
        {"icon", {.max = 40}},
        {"env", {.format = "json-object"}},
        {"pause_reason", {.access = Access::engine}},
        {"paused_at", {.access = Access::engine}},
        {"execution_workspace_policy", {.format = "json-object"}},
        {"created_at", {.access = Access::engine}},
        {"updated_at", {.access = Access::engine}},
    });
};
template <>
struct paperclip::Rules<paperclip::work::Workspace> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"id", {.access = Access::engine}},
        {"company_id", {.access = Access::engine}},
        {"project_id", {.access = Access::engine}},
        {"name", {.max = 200}},
        {"metadata", {.format = "json-object"}},
        {"runtime_config", {.format = "json-object"}},
        {"runtime_services", {.access = Access::engine, .column = "'[]'"}},
        {"created_at", {.access = Access::engine}},
        {"updated_at", {.access = Access::engine}},
    });
};
template <>
struct paperclip::Rules<paperclip::work::ProjectInput> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"workspace", {.access = Access::on_create}},
    });
};
