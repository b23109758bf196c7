#include "engine/declaration/checker.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace paperclip::declaration {
namespace {

using Edges = std::map<std::string, std::vector<std::string>>;

/// Finds one cycle through each strongly connected part of a graph, by depth-first search without
/// recursion: the depth of a document's graph is as large as the document.
void find_cycles(const Edges& edges,
                 const std::function<void(const std::vector<std::string>&)>& found) {
    std::map<std::string, int> state;  // 1 on the way, 2 done
    for (const auto& [start, ignored] : edges) {
        if (state[start] != 0) continue;
        std::vector<std::pair<std::string, std::size_t>> way{{start, 0}};
        state[start] = 1;
        while (!way.empty()) {
            const std::string node = way.back().first;
            const auto out = edges.find(node);
            if (out == edges.end() || way.back().second == out->second.size()) {
                state[node] = 2;
                way.pop_back();
                continue;
            }
            const std::string next = out->second[way.back().second++];
            if (state[next] == 0) {
                state[next] = 1;
                way.emplace_back(next, 0);
            } else if (state[next] == 1) {
                const auto from = std::find_if(
                    way.begin(), way.end(), [&](const auto& step) { return step.first == next; });
                std::vector<std::string> cycle;
                for (auto step = from; step != way.end(); ++step) cycle.push_back(step->first);
                cycle.push_back(next);
                found(cycle);
            }
        }
    }
}

}  // namespace

void Checker::check_cycle(std::string_view section, const std::string& key, const Words& chain,
                          std::string_view field) {
    std::string text;
    for (const std::string& step : chain) text += (text.empty() ? "" : " -> ") + step;
    Path path{std::string(section), key, std::string(field)};
    if (!source_.yaml->has(path)) path = {std::string(section)};
    error(path, "goes round in a circle: " + text, "cycle");
}

void Checker::check_goals() {
    Edges parents;
    for (const auto& [key, goal] : document_.goals) {
        const Path path{"goals", key};
        if (goal.parent && must_be_one_of(path / "parent", *goal.parent, goals_, "goal")) {
            parents[key].push_back(*goal.parent);
        }
        if (goal.owner) must_be_one_of(path / "owner", *goal.owner, agents_, "agent");
        check_renamed(path, goal.renamed_from, goals_);
    }
    find_cycles(parents,
                [&](const Words& cycle) { check_cycle("goals", cycle.front(), cycle, "parent"); });
}

void Checker::check_projects() {
    for (const auto& [key, project] : document_.projects) {
        const Path path{"projects", key};
        if (project.lead) must_be_one_of(path / "lead", *project.lead, agents_, "agent");
        if (project.goals) {
            for (std::size_t i = 0; i < project.goals->size(); ++i) {
                must_be_one_of(path / "goals" / std::to_string(i), (*project.goals)[i], goals_,
                               "goal");
            }
        }
        check_renamed(path, project.renamed_from, projects_);
        if (!project.workspace) continue;
        const WorkspaceEntry& workspace = *project.workspace;
        if (!workspace.cwd && !workspace.repo_url) {
            error(path / "workspace", "expected cwd or repoUrl");
        }
        if (workspace.cwd && !workspace.cwd->starts_with('/')) {
            error(path / "workspace" / "cwd",
                  "expected an absolute path, found \"" + *workspace.cwd + "\"");
        }
    }
}

void Checker::check_issues() {
    Edges parents;
    Edges blockers;
    for (const auto& [key, issue] : document_.issues) {
        const Path path{"issues", key};
        if (issue.project) must_be_one_of(path / "project", *issue.project, projects_, "project");
        if (issue.goal) must_be_one_of(path / "goal", *issue.goal, goals_, "goal");
        if (issue.assignee) must_be_one_of(path / "assignee", *issue.assignee, agents_, "agent");
        if (issue.parent && must_be_one_of(path / "parent", *issue.parent, issues_, "issue")) {
            parents[key].push_back(*issue.parent);
        }
        if (!issue.blocked_by) continue;
        for (std::size_t i = 0; i < issue.blocked_by->size(); ++i) {
            const std::string& blocker = (*issue.blocked_by)[i];
            if (must_be_one_of(path / "blockedBy" / std::to_string(i), blocker, issues_, "issue")) {
                blockers[key].push_back(blocker);
            }
        }
    }
    find_cycles(parents,
                [&](const Words& cycle) { check_cycle("issues", cycle.front(), cycle, "parent"); });
    find_cycles(blockers, [&](const Words& cycle) {
        check_cycle("issues", cycle.front(), cycle, "blockedBy");
    });
}

void Checker::check_routines() {
    for (const auto& [key, routine] : document_.routines) {
        const Path path{"routines", key};
        if (routine.assignee)
            must_be_one_of(path / "assignee", *routine.assignee, agents_, "agent");
        if (routine.project) {
            must_be_one_of(path / "project", *routine.project, projects_, "project");
        }
        if (routine.goal) must_be_one_of(path / "goal", *routine.goal, goals_, "goal");
        check_cron(path / "cron", routine.cron);
        check_zone(path / "timezone", routine.timezone);
        check_catch_up(path / "catchUpPolicy", routine.catch_up_policy);
        if (!routine.cron && !routine.webhook) {
            error_at_key(path, "expected cron, webhook or both: what makes it come");
        }
        if (routine.webhook && routine.webhook->secret) {
            check_secret(path / "webhook" / "secret", *routine.webhook->secret);
        }
    }
}

void Checker::check_work() {
    check_goals();
    check_projects();
    check_issues();
    check_routines();
}

void Checker::check_governance() {
    for (std::size_t i = 0; i < document_.budgets.size(); ++i) {
        const BudgetEntry& entry = document_.budgets[i];
        const Path path{"budgets", std::to_string(i)};
        const Words& known = entry.scope.kind == "team"      ? agents_
                             : entry.scope.kind == "project" ? projects_
                                                             : goals_;
        if (entry.scope.kind != "company") {
            must_be_one_of(path / "scope", entry.scope.slug, known,
                           entry.scope.kind == "team" ? "agent" : entry.scope.kind);
        }
        const bool twice = std::any_of(
            document_.budgets.begin(), document_.budgets.begin() + static_cast<std::ptrdiff_t>(i),
            [&](const BudgetEntry& other) {
                return other.scope == entry.scope && other.limit.unit == entry.limit.unit &&
                       other.limit.window == entry.limit.window;
            });
        if (twice) error(path, "a second budget for the same scope, unit and window");
    }
    for (const auto& [key, approval] : document_.approvals) {
        const Path path{"approvals", key};
        const auto approvers = static_cast<std::int64_t>(approval.approvers.size());
        for (std::size_t i = 0; i < approval.approvers.size(); ++i) {
            Words known{"owner", "admin", "operator"};
            known.insert(known.end(), agents_.begin(), agents_.end());
            must_be_one_of(path / "approvers" / std::to_string(i), approval.approvers[i], known,
                           "approver");
        }
        // A role may be held by several people; agents are one each, so this is only a hint.
        if (approval.quorum.value_or(1) > approvers) {
            warn(path / "quorum",
                 "more than there are approvers; each role then needs several people", "quorum");
        }
    }
    for (std::size_t i = 0; i < document_.notify.size(); ++i) {
        const NotifyEntry& entry = document_.notify[i];
        const Path path{"notify", std::to_string(i)};
        check_cron(path / "cron", entry.cron);
        check_secrets_in(path / "config", entry.config);
    }
}

}  // namespace paperclip::declaration
