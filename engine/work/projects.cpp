#include "engine/work/projects.hpp"

#include <algorithm>

namespace paperclip::work {

using storage::operator""_sql;

namespace {

[[noreturn]] void project_not_found() {
    throw Error(ErrorKind::not_found, "Project not found");
}
[[noreturn]] void no_workspace() {
    throw Error(ErrorKind::not_found, "Project workspace not found");
}

/// "api" of "https://github.com/acme/api.git".
std::optional<std::string> repo_name_of(const std::optional<std::string>& url) {
    if (!url) return std::nullopt;
    std::string name = url->substr(url->find_last_of("/:") + 1);
    if (name.ends_with(".git")) name.resize(name.size() - 4);
    return name;
}

std::vector<Id> goals_of(const Patch<ProjectInput>& input) {
    if (input.value.goal_ids) return *input.value.goal_ids;
    if (input.value.goal_id) return {*input.value.goal_id};
    return {};
}

void check(const Workspace& workspace) {
    const bool remote = workspace.source_type == WorkspaceSource::remote_managed;
    if (remote ? !workspace.remote_workspace_ref && !workspace.repo_url
               : !workspace.cwd && !workspace.repo_url) {
        throw Error(ErrorKind::unprocessable,
                    remote ? "A remote workspace needs remoteWorkspaceRef or repoUrl"
                           : "A workspace needs cwd or repoUrl");
    }
    if (workspace.cwd && !std::filesystem::path(*workspace.cwd).is_absolute()) {
        throw Error(ErrorKind::unprocessable,
                    "cwd: expected an absolute path, found \"" + *workspace.cwd + "\"");
    }
}

}  // namespace

void Projects::log_activity(storage::Unit& unit, const Actor& actor, std::string_view action,
                            const Project& project, const std::string& details) {
    core_.journal.activity(unit, actor,
                           {project.company_id, action, "project", project.id.str(), details});
}

ProjectView Projects::view(Project project) {
    ProjectView view;
    static_cast<Project&>(view) = std::move(project);
    view.goals = core_.store.all<GoalLink>("project.goals"_sql, {{"project_id", view.id}});
    for (const GoalLink& goal : view.goals) view.goal_ids.push_back(goal.id);
    if (!view.goal_ids.empty()) view.goal_id = view.goal_ids.front();
    view.workspaces = workspaces(view.id);
    view.task_count = core_.store.integer("project.task_count"_sql, {{"id", view.id}}).value_or(0);

    Codebase& codebase = view.codebase;
    codebase.managed_folder =
        (managed_root_ / view.company_id.str() / view.id.str() / "_default").string();
    codebase.effective_local_folder = codebase.managed_folder;
    if (view.workspaces.empty()) return view;
    const Workspace& primary = view.workspaces.front();
    view.primary_workspace = primary;
    codebase.workspace_id = primary.id;
    codebase.repo_url = primary.repo_url;
    codebase.repo_ref = primary.repo_ref;
    codebase.default_ref = primary.default_ref;
    codebase.repo_name = repo_name_of(primary.repo_url);
    codebase.local_folder = primary.cwd;
    if (primary.cwd) {
        codebase.effective_local_folder = *primary.cwd;
        codebase.origin = "local_folder";
    }
    return view;
}

void Projects::add_goals(storage::Unit& unit, const Project& project,
                         const std::vector<Id>& goals) {
    std::int64_t position = 0;
    for (const Id& goal : goals) {
        unit.add("project.add_goal"_sql, {{"project_id", project.id},
                                          {"goal_id", goal},
                                          {"company_id", project.company_id},
                                          {"position", position++}})
            .otherwise([] { throw Error(ErrorKind::not_found, "Goal not found"); });
    }
}

void Projects::add_create(storage::Unit& unit, const Actor& actor, Project& project,
                          const std::vector<Id>& goals) {
    project.id = core_.ids.next();
    project.created_at = project.updated_at = core_.clock.now();
    const std::string slug =
        project.url_key.empty() ? agents::slug_of(project.name) : project.url_key;
    project.url_key = slug;
    const auto taken = [&] {
        return core_.store.text("project.resolve_url_key"_sql,
                                {{"company_id", project.company_id}, {"url_key", project.url_key}});
    };
    for (int n = 2; taken(); ++n) project.url_key = slug + "-" + std::to_string(n);
    unit.add_row("project.insert"_sql, project).taken([] {
        throw Error(ErrorKind::conflict, "Another project took the same name; try again");
    });
    add_goals(unit, project, goals);
    std::string details;
    JsonWriter(details).begin_object().member("name", project.name).end_object();
    log_activity(unit, actor, "project.created", project, details);
}

ProjectView Projects::create(const Actor& actor, const Id& company,
                             const Patch<ProjectInput>& input) {
    Project project = input.value;
    project.company_id = company;
    must_be_agent_of(core_.store, company, project.lead_agent_id);
    storage::Unit unit = core_.store.unit();
    add_create(unit, actor, project, goals_of(input));
    if (input.value.workspace) {
        Workspace workspace = *input.value.workspace;
        workspace.company_id = company;
        workspace.project_id = project.id;
        add_workspace(unit, actor, workspace);
    }
    core_.store.submit(unit);
    return get(project.id);
}

ProjectView Projects::get(const Id& id) {
    auto project = core_.store.one<Project>("project.by_id"_sql, {{"id", id}});
    if (!project) project_not_found();
    return view(std::move(*project));
}

std::vector<ProjectView> Projects::list(const Id& company) {
    std::vector<ProjectView> list;
    for (auto& project :
         core_.store.all<Project>("project.of_company"_sql, {{"company_id", company}})) {
        list.push_back(view(std::move(project)));
    }
    return list;
}

ProjectView Projects::patch(const Actor& actor, const Id& id, const Patch<ProjectInput>& input) {
    const ProjectView before = get(id);
    must_be_agent_of(core_.store, before.company_id, input.value.lead_agent_id);
    std::optional<std::vector<Id>> goals;
    if (input.has(&ProjectInput::goal_ids) || input.has(&ProjectInput::goal_id)) {
        goals = goals_of(input);
    }
    storage::Unit unit = core_.store.unit();
    add_patch(unit, actor, before, base_of<Project>(input), goals);
    core_.store.submit(unit);
    return get(id);
}

void Projects::add_patch(storage::Unit& unit, const Actor& actor, const Project& project,
                         Patch<Project> change, const std::optional<std::vector<Id>>& goals) {
    const std::string details = changed_members(change);
    change.set(&Project::updated_at, core_.clock.now());
    unit.add_patch("project.patch"_sql, change, {}, {{"id", project.id}}).otherwise([] {
        project_not_found();
    });
    if (goals) {
        unit.add("project.clear_goals"_sql, {{"project_id", project.id}}).any();
        add_goals(unit, project, *goals);
    }
    log_activity(unit, actor, "project.updated", project, details);
}

ProjectView Projects::remove(const Actor& actor, const Id& id) {
    ProjectView project = get(id);
    storage::Unit unit = core_.store.unit();
    unit.add("project.delete"_sql, {{"id", id}}).otherwise([] {
        throw Error(ErrorKind::conflict, "The project still has issues");
    });
    log_activity(unit, actor, "project.deleted", project);
    core_.store.submit(unit);
    return project;
}

std::vector<Workspace> Projects::workspaces(const Id& project) {
    return core_.store.all<Workspace>("workspace.of_project"_sql, {{"project_id", project}});
}

void Projects::add_workspace(storage::Unit& unit, const Actor& actor, Workspace& workspace) {
    workspace.id = core_.ids.next();
    workspace.created_at = workspace.updated_at = core_.clock.now();
    if (!workspace.cwd && workspace.repo_url) workspace.source_type = WorkspaceSource::git_repo;
    if (workspace.name.empty()) {
        workspace.name = repo_name_of(workspace.repo_url).value_or("Workspace");
    }
    check(workspace);
    unit.add_row("workspace.insert"_sql, workspace);
    if (workspace.is_primary) {
        unit.add("workspace.demote_others"_sql,
                 {{"project_id", workspace.project_id}, {"id", workspace.id}})
            .any();
    }
    core_.journal.activity(
        unit, actor,
        {workspace.company_id, "project.workspace_created", "project", workspace.project_id.str()});
}

Workspace Projects::create_workspace(const Actor& actor, const Id& project,
                                     const Patch<Workspace>& input) {
    const auto owner = core_.store.one<Project>("project.by_id"_sql, {{"id", project}});
    if (!owner) project_not_found();
    Workspace workspace = input.value;
    workspace.company_id = owner->company_id;
    workspace.project_id = project;
    if (workspaces(project).empty()) workspace.is_primary = true;
    storage::Unit unit = core_.store.unit();
    add_workspace(unit, actor, workspace);
    core_.store.submit(unit);
    return workspace;
}

Workspace Projects::patch_workspace(const Actor& actor, const Id& project, const Id& id,
                                    const Patch<Workspace>& input) {
    auto workspace =
        core_.store.one<Workspace>("workspace.by_id"_sql, {{"id", id}, {"project_id", project}});
    if (!workspace) no_workspace();
    storage::Unit unit = core_.store.unit();
    add_patch_workspace(unit, actor, *workspace, input);
    core_.store.submit(unit);
    return *workspace;
}

void Projects::add_patch_workspace(storage::Unit& unit, const Actor& actor, Workspace& workspace,
                                   const Patch<Workspace>& input) {
    input.apply_to(workspace);
    check(workspace);
    Patch<Workspace> change = input;
    change.set(&Workspace::updated_at, core_.clock.now());
    unit.add_patch("workspace.patch"_sql, change, {}, {{"id", workspace.id}})
        .into(workspace)
        .otherwise([] { no_workspace(); });
    if (workspace.is_primary) {
        unit.add("workspace.demote_others"_sql,
                 {{"project_id", workspace.project_id}, {"id", workspace.id}})
            .any();
    }
    core_.journal.activity(
        unit, actor,
        {workspace.company_id, "project.workspace_updated", "project", workspace.project_id.str()});
}

Workspace Projects::remove_workspace(const Actor& actor, const Id& project, const Id& id) {
    Workspace workspace;
    const auto owner = core_.store.one<Project>("project.by_id"_sql, {{"id", project}});
    if (!owner) project_not_found();
    storage::Unit unit = core_.store.unit();
    unit.add("workspace.delete"_sql, {{"id", id}, {"project_id", project}})
        .into(workspace)
        .otherwise([] { no_workspace(); });
    core_.journal.activity(
        unit, actor, {owner->company_id, "project.workspace_deleted", "project", project.str()});
    core_.store.submit(unit);
    return workspace;
}

}  // namespace paperclip::work
