#include "engine/declaration/fields.hpp"

#include <boost/json.hpp>

namespace paperclip::declaration {
namespace {

template <class T>
void put(Fields& fields, const char* name, const std::optional<T>& value) {
    if (value) fields[name] = to_json(*value);
}

template <class E>
std::optional<E> word_in(const std::string& value) {
    return parse_word<E>(text_of(value).value_or(""));
}

}  // namespace

Fields declared_fields(const Document& document) {
    Fields fields;
    fields["name"] = to_json(document.name);
    put(fields, "mission", document.mission);
    put(fields, "timezone", document.timezone);
    for (const BudgetEntry& entry : document.budgets) {
        const bool in_force =
            entry.scope.kind == "company" && entry.limit.window == LimitWindow::month &&
            (entry.limit.unit == LimitUnit::dollars || entry.limit.unit == LimitUnit::unlimited);
        if (in_force) fields["budget.month"] = to_json(entry.limit);
    }
    return fields;
}

Fields live_fields(const company::Company& company, const State& state) {
    Fields fields;
    fields["name"] = to_json(company.name);
    put(fields, "mission", company.description);
    fields["timezone"] = to_json(company.timezone);
    fields["budget.month"] =
        state.company_limit
            ? to_json(Limit{LimitUnit::dollars, state.company_limit->micros, LimitWindow::month})
            : "\"unlimited\"";
    return fields;
}

void set_field(company::Company& company, const std::string& field, const std::string& value) {
    const auto text = text_of(value);
    if (field == "name") company.name = text.value_or(company.name);
    if (field == "mission") company.description = text;
    if (field == "timezone") company.timezone = text.value_or("UTC");
    if (field == "budget.month") {
        const auto limit = TextForm<Limit>::parse(text.value_or(""));
        company.budget_monthly = Money{limit ? limit->amount : 0};
    }
}

Fields declared_fields(const GoalEntry& goal) {
    Fields fields;
    fields["title"] = to_json(goal.title);
    put(fields, "description", goal.description);
    put(fields, "level", goal.level);
    put(fields, "status", goal.status);
    put(fields, "parent", goal.parent);
    put(fields, "owner", goal.owner);
    put(fields, "targetDate", goal.target_date);
    return fields;
}

Fields live_fields(const work::Goal& goal, const State& state) {
    Fields fields;
    fields["title"] = to_json(goal.title);
    put(fields, "description", goal.description);
    fields["level"] = to_json(goal.level);
    fields["status"] = to_json(goal.status);
    if (goal.parent_id) fields["parent"] = to_json(state.name_of(*goal.parent_id));
    if (goal.owner_agent_id) fields["owner"] = to_json(state.name_of(*goal.owner_agent_id));
    put(fields, "targetDate", goal.target_date);
    return fields;
}

void set_field(work::Goal& goal, const std::string& field, const std::string& value) {
    const auto text = text_of(value);
    if (field == "title") goal.title = text.value_or(goal.title);
    if (field == "description") goal.description = text;
    if (field == "level") goal.level = word_in<work::GoalLevel>(value).value_or(goal.level);
    if (field == "status") goal.status = word_in<work::GoalStatus>(value).value_or(goal.status);
    if (field == "targetDate") goal.target_date = text;
}

Fields declared_fields(const ProjectEntry& project) {
    Fields fields;
    fields["name"] = to_json(project.name);
    put(fields, "description", project.description);
    put(fields, "status", project.status);
    put(fields, "lead", project.lead);
    if (project.goals) fields["goals"] = project.goals->empty() ? "null" : to_json(*project.goals);
    put(fields, "targetDate", project.target_date);
    put(fields, "color", project.color);
    if (project.workspace) {
        put(fields, "workspace.cwd", project.workspace->cwd);
        put(fields, "workspace.repoUrl", project.workspace->repo_url);
        put(fields, "workspace.repoRef", project.workspace->repo_ref);
    }
    return fields;
}

Fields live_fields(const work::ProjectView& project, const State& state) {
    Fields fields;
    fields["name"] = to_json(project.name);
    put(fields, "description", project.description);
    fields["status"] = to_json(project.status);
    if (project.lead_agent_id) fields["lead"] = to_json(state.name_of(*project.lead_agent_id));
    std::vector<std::string> goals;
    for (const Id& goal : project.goal_ids) goals.push_back(state.name_of(goal));
    if (!goals.empty()) fields["goals"] = to_json(goals);
    put(fields, "targetDate", project.target_date);
    put(fields, "color", project.color);
    if (project.primary_workspace) {
        put(fields, "workspace.cwd", project.primary_workspace->cwd);
        put(fields, "workspace.repoUrl", project.primary_workspace->repo_url);
        put(fields, "workspace.repoRef", project.primary_workspace->repo_ref);
    }
    return fields;
}

void set_field(work::Project& project, const std::string& field, const std::string& value) {
    const auto text = text_of(value);
    if (field == "name") project.name = text.value_or(project.name);
    if (field == "description") project.description = text;
    if (field == "status") {
        project.status = word_in<work::ProjectStatus>(value).value_or(project.status);
    }
    if (field == "targetDate") project.target_date = text;
    if (field == "color") project.color = text;
}

void set_field(work::Workspace& workspace, const std::string& field, const std::string& value) {
    const auto text = text_of(value);
    if (field == "workspace.cwd") workspace.cwd = text;
    if (field == "workspace.repoUrl") workspace.repo_url = text;
    if (field == "workspace.repoRef") workspace.repo_ref = text;
}

std::string default_value(ObjectKind kind, const std::string& field) {
    if (field == "budget.month") {
        return kind == ObjectKind::agent
                   ? to_json(Limit{LimitUnit::dollars, k_default_budget.micros, LimitWindow::month})
                   : "\"unlimited\"";
    }
    if (field == "timezone") return "\"UTC\"";
    if (field == "heartbeat.runWhenIdle") return "false";
    if (field == "limits.maxConcurrentRuns") return "20";
    if (kind == ObjectKind::goal && field == "level") return "\"task\"";
    if (kind == ObjectKind::goal && field == "status") return "\"active\"";
    if (kind == ObjectKind::project && field == "status") return "\"in_progress\"";
    return "null";
}

}  // namespace paperclip::declaration
