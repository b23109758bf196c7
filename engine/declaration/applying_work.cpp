#include "engine/declaration/applying.hpp"

#include <algorithm>
#include <functional>
#include <set>

// The part of apply that concerns goals, projects and issues.

namespace paperclip::declaration {
using storage::operator""_sql;

namespace {

/// Calls `visit` for each key after those that it waits for. Cycles were refused before.
template <class T>
void in_order(const Keyed<T>& keyed,
              const std::function<std::vector<std::string>(const T&)>& waits_for,
              const std::function<void(const std::string&, const T&)>& visit) {
    std::set<std::string> done;
    for (bool progress = true; progress;) {
        progress = false;
        for (const auto& [slug, item] : keyed) {
            const auto before = waits_for(item);
            const bool ready = std::all_of(before.begin(), before.end(),
                                           [&](const auto& other) { return done.contains(other); });
            if (done.contains(slug) || !ready) continue;
            visit(slug, item);
            done.insert(slug);
            progress = true;
        }
    }
}

std::vector<std::string> list_of(const std::optional<std::string>& one) {
    return one ? std::vector<std::string>{*one} : std::vector<std::string>{};
}

}  // namespace

void Applying::add_goals() {
    in_order<GoalEntry>(
        document_.goals, [](const GoalEntry& goal) { return list_of(goal.parent); },
        [&](const std::string& slug, const GoalEntry& goal) {
            add_goal(target(ObjectKind::goal, slug), goal);
        });
}

void Applying::add_goal(const Target& target, const GoalEntry& entry) {
    const auto parent = id_of(ObjectKind::goal, entry.parent);
    const auto owner = id_of(ObjectKind::agent, entry.owner);
    if (!target.id) {
        work::Goal goal;
        goal.company_id = company_.id;
        goal.level = entry.parent ? work::GoalLevel::task : work::GoalLevel::company;
        goal.status = work::GoalStatus::active;
        goal.parent_id = parent;
        goal.owner_agent_id = owner;
        for (const auto& [name, value] : target.declared) set_field(goal, name, value);
        services_.goals.add_create(*unit_, actor_, goal);
        ids_[{ObjectKind::goal, target.slug}] = goal.id;
        return;
    }
    const Change* change = planning_.change_of(target);
    if (change == nullptr) return;
    const work::Goal& before = planning_.state().goals.at(*target.id);
    work::Goal after = before;
    Patch<work::Goal> patch;
    for (const FieldChange& field : change->fields) {
        set_field(after, field.field, field.to.text);
        if (field.field == "title") patch.set(&work::Goal::title, after.title);
        if (field.field == "description") patch.set(&work::Goal::description, after.description);
        if (field.field == "level") patch.set(&work::Goal::level, after.level);
        if (field.field == "status") patch.set(&work::Goal::status, after.status);
        if (field.field == "targetDate") patch.set(&work::Goal::target_date, after.target_date);
        if (field.field == "parent") {
            patch.set(&work::Goal::parent_id, parent);
            moved_goals_.push_back(before.id);
        }
        if (field.field == "owner") patch.set(&work::Goal::owner_agent_id, owner);
    }
    if (patch.present.any()) services_.goals.add_patch(*unit_, actor_, before, patch);
}

void Applying::add_projects() {
    for (const auto& [slug, project] : document_.projects) {
        add_project(target(ObjectKind::project, slug), project);
    }
}

void Applying::add_project(const Target& target, const ProjectEntry& entry) {
    const auto lead = id_of(ObjectKind::agent, entry.lead);
    std::vector<Id> goals;
    for (const std::string& goal : entry.goals.value_or(std::vector<std::string>{})) {
        goals.push_back(*id_of(ObjectKind::goal, goal));
    }
    if (!target.id) {
        work::Project project;
        project.company_id = company_.id;
        project.url_key = target.slug;
        project.status = work::ProjectStatus::in_progress;
        project.lead_agent_id = lead;
        for (const auto& [name, value] : target.declared) set_field(project, name, value);
        services_.projects.add_create(*unit_, actor_, project, goals);
        ids_[{ObjectKind::project, target.slug}] = project.id;
        add_workspace(target, project.id);
        return;
    }
    const Change* change = planning_.change_of(target);
    if (change == nullptr) return;
    const work::ProjectView& before = planning_.state().projects.at(*target.id);
    work::Project after = before;
    Patch<work::Project> patch;
    std::optional<std::vector<Id>> new_goals;
    for (const FieldChange& field : change->fields) {
        using work::Project;
        set_field(after, field.field, field.to.text);
        if (field.field == "name") patch.set(&Project::name, after.name);
        if (field.field == "description") patch.set(&Project::description, after.description);
        if (field.field == "status") patch.set(&Project::status, after.status);
        if (field.field == "targetDate") patch.set(&Project::target_date, after.target_date);
        if (field.field == "color") patch.set(&Project::color, after.color);
        if (field.field == "lead") patch.set(&Project::lead_agent_id, lead);
        if (field.field == "goals") new_goals = goals;
    }
    if (patch.present.any() || new_goals) {
        services_.projects.add_patch(*unit_, actor_, before, patch, new_goals);
    }
    add_workspace(target, *target.id);
}

/// The project's primary workspace is the declared one.
void Applying::add_workspace(const Target& target, const Id& project) {
    const Change* change = planning_.change_of(target);
    if (change == nullptr) return;
    work::Workspace workspace;
    if (target.id) {
        const auto& primary = planning_.state().projects.at(*target.id).primary_workspace;
        if (primary) workspace = *primary;
    }
    const bool is_new = workspace.id.is_nil();
    Patch<work::Workspace> patch;
    for (const FieldChange& field : change->fields) {
        set_field(workspace, field.field, field.to.text);
        if (field.field == "workspace.cwd") patch.set(&work::Workspace::cwd, workspace.cwd);
        if (field.field == "workspace.repoUrl") {
            patch.set(&work::Workspace::repo_url, workspace.repo_url);
        }
        if (field.field == "workspace.repoRef") {
            patch.set(&work::Workspace::repo_ref, workspace.repo_ref);
        }
    }
    if (!patch.present.any()) return;
    work::Workspace& kept = workspaces_.emplace_back(std::move(workspace));
    if (is_new) {
        kept.company_id = company_.id;
        kept.project_id = project;
        kept.is_primary = true;
        services_.projects.add_workspace(*unit_, actor_, kept);
    } else if (!kept.cwd && !kept.repo_url) {
        unit_->add("workspace.delete"_sql, {{"id", kept.id}, {"project_id", project}}).any();
    } else {
        services_.projects.add_patch_workspace(*unit_, actor_, kept, patch);
    }
}

void Applying::add_seeds() {
    in_order<IssueEntry>(
        document_.issues,
        [](const IssueEntry& issue) {
            std::vector<std::string> before = list_of(issue.parent);
            const auto blockers = issue.blocked_by.value_or(std::vector<std::string>{});
            before.insert(before.end(), blockers.begin(), blockers.end());
            return before;
        },
        [&](const std::string& slug, const IssueEntry& issue) {
            if (!target(ObjectKind::issue, slug).id) add_seed(slug, issue);
        });
}

void Applying::add_seed(const std::string& slug, const IssueEntry& entry) {
    // A seed that people have deleted since is nothing to wait for.
    const auto seed = [&](const std::optional<std::string>& key) {
        auto id = id_of(ObjectKind::issue, key);
        if (id && target(ObjectKind::issue, *key).id &&
            !services_.core.store.text("issue.resolve"_sql, {{"id", *id}})) {
            id.reset();
        }
        return id;
    };
    work::Issue issue;
    issue.company_id = company_.id;
    issue.title = entry.title;
    issue.description = entry.description;
    issue.priority = entry.priority.value_or(work::IssuePriority::medium);
    issue.project_id = id_of(ObjectKind::project, entry.project);
    issue.goal_id = id_of(ObjectKind::goal, entry.goal);
    issue.parent_id = seed(entry.parent);
    issue.assignee_agent_id = id_of(ObjectKind::agent, entry.assignee);
    issue.status = entry.assignee ? work::IssueStatus::todo : work::IssueStatus::backlog;
    for (const auto& [goal, ignored] : document_.goals) {
        if (issue.goal_id) break;
        if (!document_.goals.find(goal)->parent) issue.goal_id = id_of(ObjectKind::goal, goal);
    }
    std::vector<Id> blockers;
    for (const std::string& key : entry.blocked_by.value_or(std::vector<std::string>{})) {
        if (const auto blocker = seed(key)) blockers.push_back(*blocker);
    }
    services_.issues.add_create(*unit_, actor_, issue, blockers);
    ids_[{ObjectKind::issue, slug}] = issue.id;
}

void Applying::add_removed_work() {
    for (const Planning::Gone& gone : planning_.gone()) {
        if (!gone.remove) continue;
        if (gone.kind == ObjectKind::goal) {
            Patch<work::Goal> patch;
            patch.set(&work::Goal::status, work::GoalStatus::cancelled);
            services_.goals.add_patch(*unit_, actor_, planning_.state().goals.at(gone.id), patch);
        }
        if (gone.kind == ObjectKind::project) {
            Patch<work::Project> patch;
            patch.set(&work::Project::archived_at, services_.core.clock.now());
            services_.projects.add_patch(*unit_, actor_, planning_.state().projects.at(gone.id),
                                         patch, {});
        }
    }
}

}  // namespace paperclip::declaration
