#include "engine/work/goals.hpp"

#include <algorithm>

namespace paperclip::work {

using storage::operator""_sql;

namespace {

[[noreturn]] void goal_not_found() {
    throw Error(ErrorKind::not_found, "Goal not found");
}

}  // namespace

void must_be_agent_of(storage::Store& store, const Id& company, const std::optional<Id>& agent,
                      const char* message) {
    if (!agent) return;
    const auto found = store.one<agents::Agent>("agent.by_id"_sql, {{"id", *agent}});
    if (!found || found->company_id != company) throw Error(ErrorKind::not_found, message);
}

void Goals::check(const Goal& goal) {
    must_be_agent_of(core_.store, goal.company_id, goal.owner_agent_id, "Owner agent not found");
    if (!goal.parent_id) return;
    const auto above = chain(*goal.parent_id);
    if (above.empty() || above.front().company_id != goal.company_id) {
        refuse("Parent goal must belong to same company");
    }
    const bool cycle = std::any_of(above.begin(), above.end(),
                                   [&](const Goal& ancestor) { return ancestor.id == goal.id; });
    if (cycle) refuse("A goal cannot be below itself");
}

void Goals::log_activity(storage::Unit& unit, const Actor& actor, std::string_view action,
                         const Goal& goal, const std::string& details) {
    core_.journal.activity(unit, actor, {goal.company_id, action, "goal", goal.id.str(), details});
}

void Goals::add_create(storage::Unit& unit, const Actor& actor, Goal& goal) {
    goal.id = core_.ids.next();
    goal.created_at = goal.updated_at = core_.clock.now();
    unit.add_row("goal.insert"_sql, goal);
    std::string details;
    JsonWriter(details).begin_object().member("title", goal.title).end_object();
    log_activity(unit, actor, "goal.created", goal, details);
}

Goal Goals::create(const Actor& actor, const Id& company, const Patch<Goal>& input) {
    Goal goal = input.value;
    goal.company_id = company;
    check(goal);
    storage::Unit unit = core_.store.unit();
    add_create(unit, actor, goal);
    core_.store.submit(unit);
    return goal;
}

Goal Goals::get(const Id& id) {
    auto goal = core_.store.one<Goal>("goal.by_id"_sql, {{"id", id}});
    if (!goal) goal_not_found();
    return *goal;
}

std::vector<Goal> Goals::list(const Id& company) {
    return core_.store.all<Goal>("goal.of_company"_sql, {{"company_id", company}});
}

std::vector<Goal> Goals::chain(const Id& id) {
    return core_.store.all<Goal>("goal.chain"_sql, {{"id", id}});
}

void Goals::add_patch(storage::Unit& unit, const Actor& actor, const Goal& goal,
                      Patch<Goal> change) {
    const std::string details = changed_members(change);
    change.set(&Goal::updated_at, core_.clock.now());
    unit.add_patch("goal.patch"_sql, change, {}, {{"id", goal.id}}).otherwise([] {
        goal_not_found();
    });
    log_activity(unit, actor, "goal.updated", goal, details);
}

Goal Goals::patch(const Actor& actor, const Id& id, const Patch<Goal>& input) {
    const Goal goal = get(id);
    Goal after = goal;
    input.apply_to(after);
    check(after);
    storage::Unit unit = core_.store.unit();
    add_patch(unit, actor, goal, input);
    core_.store.submit(unit);
    return get(id);
}

Goal Goals::remove(const Actor& actor, const Id& id) {
    Goal goal = get(id);
    storage::Unit unit = core_.store.unit();
    unit.add("goal.delete"_sql, {{"id", id}}).otherwise([] {
        throw Error(ErrorKind::conflict, "The goal still has sub-goals or issues");
    });
    log_activity(unit, actor, "goal.deleted", goal, "{}");
    core_.store.submit(unit);
    return goal;
}

}  // namespace paperclip::work
