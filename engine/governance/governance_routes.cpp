#include "engine/governance/activity.hpp"
#include "engine/governance/setup.hpp"

namespace paperclip::governance {

using http::Call;
using http::Method;
using http::None;
using http::Rule;
using http::Subject;
using storage::operator""_sql;

namespace {

/// An entry that a client writes into the activity log. It says who acted; the journal also keeps
/// who said so.
struct ActivityInput {
    ActorType actor_type = ActorType::system;
    std::string actor_id;
    std::string action;
    std::string entity_type;
    std::string entity_id;
    std::optional<Id> agent_id;
    std::optional<Json> details;
};
BOOST_DESCRIBE_STRUCT(ActivityInput, (),
                      (actor_type, actor_id, action, entity_type, entity_id, agent_id, details))

}  // namespace
}  // namespace paperclip::governance

template <>
struct paperclip::Rules<paperclip::governance::ActivityInput> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"actor_id", {.required = true, .min = 1, .max = 200}},
        {"action", {.required = true, .min = 1, .max = 200}},
        {"entity_type", {.required = true, .min = 1, .max = 100}},
        {"entity_id", {.required = true, .min = 1, .max = 200}},
        {"details", {.format = "json-object"}},
    });
};

namespace paperclip::governance {
namespace {

/// What a cost is put down to must be of the company that pays.
void check_places(storage::Store& store, const CostEvent& event) {
    struct Place {
        const std::optional<Id>& id;
        storage::StatementName resolve;
        const char* name;
    };
    for (const Place& place : {Place{event.issue_id, "issue.resolve"_sql, "Issue"},
                               Place{event.project_id, "project.resolve"_sql, "Project"},
                               Place{event.goal_id, "goal.resolve"_sql, "Goal"},
                               Place{event.heartbeat_run_id, "run.resolve"_sql, "Heartbeat run"}}) {
        if (!place.id) continue;
        bool known = false;
        store.each(place.resolve, {{"id", *place.id}},
                   [&](storage::Row row) { known = row[1].as_text() == event.company_id.view(); });
        if (!known) throw Error(ErrorKind::not_found, std::string(place.name) + " not found");
    }
}

CostEvent report_cost(Core core, Budgets& budgets, const Call& call,
                      const Patch<CostEvent>& input) {
    CostEvent event = input.value;
    event.company_id = call.company_id;
    if (call.actor.is_agent() && event.agent_id != call.actor.agent_id) {
        throw Error(ErrorKind::forbidden, "Agent can only report its own costs");
    }
    const auto agent = core.store.one<agents::Agent>("agent.by_id"_sql, {{"id", event.agent_id}});
    if (!agent || agent->company_id != call.company_id) {
        throw Error(ErrorKind::not_found, "Agent not found");
    }
    // An agent does not choose the run that it is, if we know it.
    if (call.actor.run_id && (call.actor.is_agent() || !event.heartbeat_run_id)) {
        event.heartbeat_run_id = call.actor.run_id;
    }
    check_places(core.store, event);
    storage::Unit unit = core.store.unit();
    budgets.add_charge(unit, call.actor, event);
    core.store.submit(unit);
    return event;
}

ActivityRow write_activity(Core core, const Call& call, const ActivityInput& input) {
    std::string details;
    JsonWriter w(details);
    w.begin_object().member("claimedActorType", word(input.actor_type));
    w.member("claimedActorId", input.actor_id);
    if (input.details) w.key("details").raw(input.details->text);
    w.end_object();
    storage::Unit unit = core.store.unit();
    const auto record = core.journal.activity(
        unit, call.actor,
        {call.company_id, input.action, input.entity_type, input.entity_id, details});
    core.store.submit(unit);
    return {record.record_id,
            call.company_id,
            std::string(word(input.actor_type)),
            input.actor_id,
            input.action,
            input.entity_type,
            input.entity_id,
            input.agent_id,
            record.run_id,
            record.responsible_user_id,
            input.details,
            record.at};
}

}  // namespace

void add_sql(storage::Catalogue& catalogue) {
    catalogue.add_struct<CostEvent>();
    catalogue.add_struct<ActivityRow>();
    catalogue.add(storage::governance_sql());
}

void add_routes(http::Router& router, Core core, Budgets& budgets, company::Companies& companies) {
    router.add<None, CostEvent, CostEvent>(
        {Method::post, "/companies/{companyId}/cost-events", Rule::member, Subject::company,
         "Report what was spent", 201},
        [core, &budgets](Call& call, Patch<CostEvent>& input) {
            return report_cost(core, budgets, call, input);
        });

    router.add<None, None, CostSummary>(
        {Method::get, "/companies/{companyId}/costs/summary", Rule::member, Subject::company,
         "This month's spend against the budget"},
        [&](Call& call) {
            return budgets.summary(call.company_id, companies.get(call.company_id).budget_monthly);
        });

    router.add<ActivityFilter, None, std::vector<ActivityRow>>(
        {Method::get, "/companies/{companyId}/activity", Rule::member, Subject::company,
         "The activity log, newest first"},
        [core](Call& call, const ActivityFilter& filter) {
            return list_activity(core.store, call.company_id, filter);
        });

    router.add<None, ActivityInput, ActivityRow>(
        {Method::post, "/companies/{companyId}/activity", Rule::board_of_company, Subject::company,
         "Write into the activity log", 201},
        [core](Call& call, Patch<ActivityInput>& input) {
            return write_activity(core, call, input.value);
        });

    router.add<None, None, std::vector<ActivityRow>>(
        {Method::get, "/issues/{id}/activity", Rule::member, Subject::issue,
         "What happened to an issue, newest first"},
        [core](Call& call) {
            ActivityFilter filter{.entity_type = "issue", .entity_id = call.subject_id.str()};
            return list_activity(core.store, call.company_id, filter);
        });

    router.add<None, None, Dashboard>(
        {Method::get, "/companies/{companyId}/dashboard", Rule::member, Subject::company,
         "A company in figures"},
        [core, &companies](Call& call) {
            const auto company = companies.get(call.company_id);
            return dashboard_of(core, company.id, company.budget_monthly, company.spent_monthly);
        });
}

}  // namespace paperclip::governance
