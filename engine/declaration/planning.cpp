#include "engine/declaration/planning.hpp"

#include "engine/access/agent_keys.hpp"

#include <algorithm>
#include <set>

#include <boost/json.hpp>

namespace paperclip::declaration {

using agents::AgentStatus;

namespace {

std::string value_or_null(const Fields& fields, const std::string& name) {
    const auto found = fields.find(name);
    return found == fields.end() ? "null" : found->second;
}

/// The three-way comparison: what apply sets so that `live` becomes what is declared. A field that
/// is declared no longer goes back to its default, unless somebody changed it meanwhile; an agent's
/// name, to its key.
std::vector<FieldChange> differences(const Target& target, const Fields& applied,
                                     const Fields& live) {
    const Fields& declared = target.declared;
    std::vector<FieldChange> changes;
    for (const auto& [name, wanted] : declared) {
        const std::string now = value_or_null(live, name);
        if (now == wanted) continue;
        const auto before = applied.find(name);
        changes.push_back({name, Json::trusted(now), Json::trusted(wanted),
                           before != applied.end() && before->second != now});
    }
    for (const auto& [name, before] : applied) {
        if (declared.contains(name)) continue;
        const std::string now = value_or_null(live, name);
        const bool agent_name = target.kind == ObjectKind::agent && name == "name";
        const std::string fallback =
            agent_name ? to_json(target.slug) : default_value(target.kind, name);
        if (now == before && now != fallback) {
            changes.push_back({name, Json::trusted(now), Json::trusted(fallback), false});
        }
    }
    return changes;
}

std::vector<FieldChange> all_new(const Fields& declared) {
    std::vector<FieldChange> changes;
    for (const auto& [name, wanted] : declared) {
        if (wanted != "null") {
            changes.push_back({name, Json::trusted("null"), Json::trusted(wanted), false});
        }
    }
    return changes;
}

}  // namespace

Planning::Planning(const Services& services, const Document& document, const Files& files,
                   const std::optional<Id>& company)
    : services_(services),
      document_(document),
      files_(files),
      state_(read_state(services, document.slug, company)),
      agents_(effective_agents(document)) {
    if (state_.applied && state_.applied->slug != document.slug) {
        throw Error(ErrorKind::unprocessable,
                    "slug: this company was declared as \"" + state_.applied->slug +
                        "\", and the slug is its identity; found \"" + document.slug + "\"");
    }
    plan_.company = document.slug;
    if (state_.company) plan_.company_id = state_.company->id;
    if (state_.applied) plan_.revision = state_.applied->revision;
    plan_.document_hash = access::sha256_hex(files.at(std::string(k_company_file)));
    compare_company();
    compare_goals();
    compare_agents();
    compare_projects();
    compare_issues();
    find_gone();
    check_managers();
    check_names();
    add_unmanaged();
    add_notes();
    // Before the worst case, of which the number of wakes depends on the day.
    plan_.fingerprint = access::sha256_hex(to_json(plan_));
    add_worst_case();
}

Planning::Match Planning::match(ObjectKind kind, const std::string& slug,
                                const std::optional<std::string>& renamed_from) {
    Match match;
    const Managed* managed = state_.find(kind, slug);
    if (managed == nullptr && renamed_from) {
        managed = state_.find(kind, *renamed_from);
        if (managed != nullptr) match.renamed_from = renamed_from;
    }
    if (managed != nullptr) {
        match.id = managed->id;
        match.applied = managed->applied;
    } else if (auto id = state_.adoptable(kind, slug)) {
        match.id = std::move(id);
        match.adopted = true;
        state_.slugs[*match.id] = slug;
    }
    return match;
}

void Planning::compare(Target target, const Match& match, const Fields* live) {
    Change change;
    change.kind = target.kind;
    change.slug = target.slug;
    change.renamed_from = match.renamed_from;
    target.id = live == nullptr ? std::nullopt : match.id;
    if (live == nullptr) {
        change.act = Act::create;
        change.fields = all_new(target.declared);
    } else {
        change.act = match.adopted ? Act::adopt : Act::update;
        change.fields = differences(target, match.applied, *live);
    }
    const bool nothing = change.act == Act::update && change.fields.empty() && !change.renamed_from;
    if (!nothing) {
        target.change = plan_.changes.size();
        plan_.changes.push_back(std::move(change));
    }
    targets_.push_back(std::move(target));
}

void Planning::compare_company() {
    Target target{ObjectKind::company, document_.slug, {}, declared_fields(document_), {}};
    if (!state_.company) return compare(std::move(target), {}, nullptr);
    Match found = match(ObjectKind::company, document_.slug, {});
    found.id = state_.company->id;
    found.adopted = !state_.applied;
    const Fields live = live_fields(*state_.company, state_);
    compare(std::move(target), found, &live);
}

void Planning::compare_agents() {
    for (const EffectiveAgent& agent : agents_) {
        Target target{ObjectKind::agent, agent.slug, {}, declared_fields(agent, files_), {}};
        Match found = match(ObjectKind::agent, agent.slug, agent.settings.renamed_from);
        const auto live = found.id ? state_.agents.find(*found.id) : state_.agents.end();
        if (found.id && state_.slugs.contains(*found.id) && found.renamed_from) {
            state_.slugs[*found.id] = agent.slug;
        }
        if (live == state_.agents.end()) {
            compare(target, found, nullptr);
        } else if (live->second.status == AgentStatus::terminated) {
            // Somebody ended it. Only people begin again what people ended.
            plan_.notes.push_back("agent " + agent.slug +
                                  " was terminated; it is left so. Remove it from the file, or "
                                  "declare it under another key to hire anew");
            target.id = found.id;
            targets_.push_back(target);
        } else {
            const Fields fields = live_fields(live->second, state_);
            compare(target, found, &fields);
        }
        draft_agent(targets_.back(), agent);
    }
}

void Planning::draft_agent(const Target& target, const EffectiveAgent& agent) {
    AgentDraft draft;
    const Change* change = change_of(target);
    if (target.id) {
        draft.agent = state_.agents.at(*target.id);
        const auto month = state_.month_limits.find(*target.id);
        draft.agent.budget_monthly = month == state_.month_limits.end() ? Money{} : month->second;
        const auto run = state_.run_limits.find(*target.id);
        if (run != state_.run_limits.end()) draft.run_limit = run->second;
    } else {
        draft.agent.name = agent.slug;
        draft.agent.role = agent.role;
        draft.agent.permissions = agents::default_permissions(agent.role);
        draft.agent.budget_monthly = k_default_budget;
    }
    if (change != nullptr) {
        const bool other_type =
            target.id &&
            std::any_of(change->fields.begin(), change->fields.end(),
                        [](const FieldChange& field) { return field.field == "adapter.type"; });
        // Another program understands another configuration: only what is declared goes on.
        if (other_type) {
            draft.agent.adapter_config = Json{};
            for (const auto& [name, value] : target.declared) {
                if (name.starts_with("adapter.config.") || name.starts_with("env.")) {
                    draft.set(name, value);
                }
            }
        }
        for (const FieldChange& field : change->fields) draft.set(field.field, field.to.text);
    }
    drafts_[target.slug] = std::move(draft);
}

void Planning::compare_goals() {
    for (const auto& [slug, goal] : document_.goals) {
        Target target{ObjectKind::goal, slug, {}, declared_fields(goal), {}};
        const Match found = match(ObjectKind::goal, slug, goal.renamed_from);
        if (found.id && found.renamed_from) state_.slugs[*found.id] = slug;
        const auto live = found.id ? state_.goals.find(*found.id) : state_.goals.end();
        if (live == state_.goals.end()) {
            compare(target, found, nullptr);
        } else {
            // Somebody gave it up; who declares it wants it again.
            const bool given_up = live->second.status == work::GoalStatus::cancelled;
            if (found.adopted && given_up && !goal.status) {
                target.declared["status"] = default_value(ObjectKind::goal, "status");
            }
            const Fields fields = live_fields(live->second, state_);
            compare(target, found, &fields);
        }
    }
}

void Planning::compare_projects() {
    for (const auto& [slug, project] : document_.projects) {
        Target target{ObjectKind::project, slug, {}, declared_fields(project), {}};
        const Match found = match(ObjectKind::project, slug, project.renamed_from);
        if (found.id && found.renamed_from) state_.slugs[*found.id] = slug;
        const auto live = found.id ? state_.projects.find(*found.id) : state_.projects.end();
        if (live == state_.projects.end()) {
            compare(target, found, nullptr);
        } else {
            const Fields fields = live_fields(live->second, state_);
            compare(target, found, &fields);
        }
    }
}

/// Seeds are created once; what became of them is nobody's business here.
void Planning::compare_issues() {
    for (const auto& [slug, issue] : document_.issues) {
        Target target{ObjectKind::issue, slug, {}, {}, {}};
        if (const Managed* managed = state_.find(ObjectKind::issue, slug)) {
            target.id = managed->id;
            targets_.push_back(std::move(target));
            continue;
        }
        target.change = plan_.changes.size();
        Change change{Act::create, ObjectKind::issue, slug, {}, {}};
        change.fields.push_back(
            {"title", Json::trusted("null"), Json::trusted(to_json(issue.title)), false});
        plan_.changes.push_back(std::move(change));
        targets_.push_back(std::move(target));
    }
}

void Planning::find_gone() {
    std::set<std::pair<ObjectKind, std::string>> declared;
    std::set<Id> renamed;
    for (const Target& target : targets_) {
        declared.emplace(target.kind, target.slug);
        if (target.id) renamed.insert(*target.id);
    }
    for (const auto& [key, managed] : state_.managed) {
        if (declared.contains(key)) continue;
        Gone gone{key.first, key.second, managed.id, false};
        if (renamed.contains(managed.id)) {
            gone_.push_back(gone);  // its row goes, the object has another key now
            continue;
        }
        if (gone.kind == ObjectKind::agent) {
            const auto agent = state_.agents.find(managed.id);
            gone.remove =
                agent != state_.agents.end() && agent->second.status != AgentStatus::terminated;
        } else if (gone.kind == ObjectKind::goal) {
            const auto goal = state_.goals.find(managed.id);
            gone.remove = goal != state_.goals.end() &&
                          goal->second.status != work::GoalStatus::cancelled &&
                          goal->second.status != work::GoalStatus::achieved;
        } else if (gone.kind == ObjectKind::project) {
            const auto project = state_.projects.find(managed.id);
            gone.remove = project != state_.projects.end() && !project->second.archived_at;
        }
        plan_.changes.push_back(
            {gone.remove ? Act::remove : Act::forget, gone.kind, gone.slug, {}, {}});
        gone_.push_back(std::move(gone));
    }
}

void Planning::check_managers() {
    std::set<std::string> terminated;
    for (const Target& target : targets_) {
        if (target.kind != ObjectKind::agent || !target.id) continue;
        const auto live = state_.agents.find(*target.id);
        if (live != state_.agents.end() && live->second.status == AgentStatus::terminated) {
            terminated.insert(target.slug);
        }
    }
    for (const EffectiveAgent& agent : agents_) {
        const auto& manager = agent.settings.reports_to;
        if (!manager || !terminated.contains(*manager) || terminated.contains(agent.slug)) continue;
        throw Error(ErrorKind::unprocessable,
                    "agents." + agent.entry + ".reportsTo: " + *manager +
                        " was terminated; name another manager, or declare " + *manager +
                        " under another key to hire anew");
    }
}

void Planning::check_names() {
    std::map<std::string, Id> holders;
    for (const auto& [id, agent] : state_.agents) {
        if (agent.status != AgentStatus::terminated) holders[agent.url_key] = id;
    }
    for (const Gone& gone : gone_) {
        if (gone.kind != ObjectKind::agent || !gone.remove) continue;
        holders.erase(state_.agents.at(gone.id).url_key);
    }
    // In the order of apply: who is renamed leaves the old name to those who come later.
    for (const Target& target : targets_) {
        if (target.kind != ObjectKind::agent) continue;
        const agents::Agent& draft = drafts_.at(target.slug).agent;
        if (draft.status == AgentStatus::terminated) continue;
        if (target.id && state_.agents.at(*target.id).name == draft.name) continue;
        if (target.id) holders.erase(draft.url_key);
        const auto [holder, is_free] = holders.try_emplace(agents::slug_of(draft.name), draft.id);
        if (is_free) continue;
        const std::string where = "agents." + target.slug + ".name: ";
        const auto managed = state_.slugs.find(holder->second);
        if (managed == state_.slugs.end()) {
            throw Error(ErrorKind::unprocessable, where +
                                                      "an agent hired at run time has the name \"" +
                                                      state_.agents.at(holder->second).name +
                                                      "\" already; choose another, or declare it");
        }
        throw Error(ErrorKind::unprocessable,
                    where + "the agent " + managed->second + " has the name \"" +
                        state_.agents.at(holder->second).name +
                        "\" until now; choose another, or apply that agent's new name first");
    }
}

void Planning::add_unmanaged() {
    for (const auto& [id, agent] : state_.agents) {
        if (agent.status == AgentStatus::terminated || state_.slugs.contains(id)) continue;
        plan_.unmanaged.push_back(state_.name_of(id));
    }
    std::sort(plan_.unmanaged.begin(), plan_.unmanaged.end());
}

}  // namespace paperclip::declaration
