#include "engine/runs/setup.hpp"

#include <boost/json.hpp>

namespace paperclip::runs {

using http::Call;
using http::Method;
using http::None;
using http::Rule;
using http::Subject;
using storage::operator""_sql;

namespace {

struct WakeInput {
    WakeSource source = WakeSource::on_demand;
    std::optional<TriggerDetail> trigger_detail;
    std::optional<std::string> reason;
    std::optional<Json> payload;
    std::optional<std::string> idempotency_key;
    bool force_fresh_session = false;
};
BOOST_DESCRIBE_STRUCT(WakeInput, (),
                      (source, trigger_detail, reason, payload, idempotency_key,
                       force_fresh_session))

/// What a wake's payload may name, so that the run knows what it is about.
struct WakePayload {
    std::optional<Id> issue_id;
    std::optional<Id> task_id;
    std::optional<std::string> task_key;
    std::optional<Id> comment_id;
    std::optional<Id> wake_comment_id;
    std::optional<Id> approval_id;
};
BOOST_DESCRIBE_STRUCT(WakePayload, (),
                      (issue_id, task_id, task_key, comment_id, wake_comment_id, approval_id))

/// A wish that led to no run, and why.
struct WakeSkipped {
    std::string status = "skipped";
    std::string reason;
    std::string message;
    std::optional<Id> issue_id;
    std::optional<Id> execution_run_id;
    std::optional<Id> execution_agent_id;
    std::optional<std::string> execution_agent_name;
};
BOOST_DESCRIBE_STRUCT(WakeSkipped, (),
                      (status, reason, message, issue_id, execution_run_id, execution_agent_id,
                       execution_agent_name))

using WakeAnswer = std::variant<RunView, WakeSkipped>;

struct ResetInput {
    std::optional<std::string> task_key;
};
BOOST_DESCRIBE_STRUCT(ResetInput, (), (task_key))

/// An agent in the list of what the scheduler does.
struct SchedulerHeartbeat {
    Id id;
    Id company_id;
    std::string company_name;
    std::string company_issue_prefix;
    std::string agent_name;
    std::string agent_url_key;
    agents::AgentRole role = agents::AgentRole::general;
    std::optional<std::string> title;
    agents::AgentStatus status = agents::AgentStatus::idle;
    std::string adapter_type;
    std::int64_t interval_sec = 0;
    std::optional<std::string> cron;
    bool heartbeat_enabled = false;
    bool scheduler_active = false;
    std::optional<Time> last_heartbeat_at;
    std::optional<Time> next_heartbeat_at;
    std::int64_t skipped_count =
        0;  ///< heartbeats that found nothing to do, since the engine started
    std::optional<Time> last_skipped_at;
    std::optional<std::string> last_skip_reason;
};
BOOST_DESCRIBE_STRUCT(SchedulerHeartbeat, (),
                      (id, company_id, company_name, company_issue_prefix, agent_name,
                       agent_url_key, role, title, status, adapter_type, interval_sec, cron,
                       heartbeat_enabled, scheduler_active, last_heartbeat_at, next_heartbeat_at,
                       skipped_count, last_skipped_at, last_skip_reason))

}  // namespace
}  // namespace paperclip::runs

template <>
struct paperclip::Rules<paperclip::runs::WakeInput> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"reason", {.max = 2'000}},
        {"payload", {.format = "json-object"}},
        {"idempotency_key", {.min = 1, .max = 255}},
    });
};
template <>
struct paperclip::Rules<paperclip::runs::WakePayload> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"task_key", {.min = 1, .max = 255}},
    });
};

namespace paperclip::runs {
namespace {

WakePayload read_payload(const Json& payload) {
    const auto value = payload.parse();
    WakePayload known;
    Problems problems;
    {
        const Problems::Scope scope(problems, "payload");
        struct_of<WakePayload>().read(JsonNode(value), &known, problems);
    }
    problems.throw_if_any();
    return known;
}

Wake wake_of(const Call& call, const WakeInput& input) {
    Wake wake;
    wake.agent_id = call.subject_id;
    wake.source = input.source;
    wake.trigger_detail = input.trigger_detail.value_or(TriggerDetail::manual);
    wake.reason = input.reason;
    wake.idempotency_key = input.idempotency_key;
    wake.requested_by = call.actor;
    if (input.payload) {
        wake.payload = *input.payload;
        const WakePayload known = read_payload(*input.payload);
        wake.context.issue_id = known.issue_id ? known.issue_id : known.task_id;
        wake.context.task_id = known.task_id;
        wake.context.task_key = known.task_key;
        wake.context.comment_id = known.comment_id;
        wake.context.wake_comment_id =
            known.wake_comment_id ? known.wake_comment_id : known.comment_id;
        if (wake.context.wake_comment_id)
            wake.context.wake_comment_ids = {*wake.context.wake_comment_id};
        wake.context.approval_id = known.approval_id;
    }
    wake.context.wake_reason = input.reason;
    wake.context.wake_source = word(wake.source);
    wake.context.wake_trigger_detail = word(*wake.trigger_detail);
    wake.context.force_fresh_session = input.force_fresh_session;
    wake.context.triggered_by = call.actor.is_board() ? "board" : "agent";
    wake.context.actor_id = call.actor.id();
    return wake;
}

WakeSkipped skipped(const RouteWorld& world, const Wake& wake, const WakeOutcome& outcome) {
    WakeSkipped answer{.reason = outcome.skip_reason, .message = outcome.message};
    answer.issue_id = wake.context.issue_id;
    if (!answer.issue_id) return answer;
    const auto issue =
        world.core.store.one<work::Issue>("issue.by_id"_sql, {{"id", *answer.issue_id}});
    if (!issue || !issue->execution_run_id) return answer;
    answer.execution_run_id = issue->execution_run_id;
    if (const auto run = world.runs.find(*issue->execution_run_id)) {
        answer.execution_agent_id = run->agent_id;
        answer.execution_agent_name = world.agents.get(run->agent_id).name;
    }
    return answer;
}

WakeAnswer ask(const RouteWorld& world, const Call& call, const WakeInput& input) {
    if (call.actor.is_agent() && call.actor.agent_id != call.subject_id) {
        throw Error(ErrorKind::forbidden, "Agent can only invoke itself");
    }
    const Wake wake = wake_of(call, input);
    WakeOutcome outcome = world.wakeups.request(wake);
    if (outcome.run) return world.views.view(std::move(*outcome.run));
    return skipped(world, wake, outcome);
}

std::vector<SchedulerHeartbeat> heartbeats(const RouteWorld& world) {
    std::vector<SchedulerHeartbeat> list;
    world.core.store.each("scheduler.heartbeats"_sql, {}, [&](storage::Row row) {
        SchedulerHeartbeat beat;
        const auto policy =
            agents::parse_runtime_config(Json::trusted(std::string(row[10].as_text()))).heartbeat;
        beat.id = Id::trusted(row[0].as_text());
        beat.company_id = Id::trusted(row[1].as_text());
        beat.company_name = row[2].as_text();
        beat.company_issue_prefix = row[3].as_text();
        beat.agent_name = row[4].as_text();
        beat.agent_url_key = row[5].as_text();
        type_of<agents::AgentRole>().from_column(row[6], &beat.role);
        type_of<std::optional<std::string>>().from_column(row[7], &beat.title);
        type_of<agents::AgentStatus>().from_column(row[8], &beat.status);
        beat.adapter_type = row[9].as_text();
        beat.interval_sec = policy.interval_sec;
        beat.cron = policy.cron;
        beat.heartbeat_enabled = policy.enabled;
        type_of<std::optional<Time>>().from_column(row[11], &beat.last_heartbeat_at);
        beat.next_heartbeat_at = world.scheduler.next_due(beat.id);
        beat.scheduler_active = beat.next_heartbeat_at.has_value();
        const auto skips = world.scheduler.skips(beat.id);
        beat.skipped_count = skips.count;
        if (!skips.last.empty()) {
            beat.last_skipped_at = skips.last.back().at;
            beat.last_skip_reason = skips.last.back().reason;
        }
        list.push_back(std::move(beat));
    });
    return list;
}

void add_control_routes(http::Router& router, const RouteWorld& world) {
    router.add<None, None, agents::AgentView>(
        {Method::post, "/agents/{id}/pause", Rule::board_of_company, Subject::agent,
         "Pause an agent: its runs are stopped, none begins"},
        [world](Call& call) { return world.control.pause(call.actor, call.subject_id); });

    router.add<None, None, agents::AgentView>(
        {Method::post, "/agents/{id}/resume", Rule::board_of_company, Subject::agent,
         "Let a paused agent work again"},
        [world](Call& call) { return world.control.resume(call.actor, call.subject_id); });

    router.add<None, None, agents::AgentView>(
        {Method::post, "/agents/{id}/terminate", Rule::board_of_company, Subject::agent,
         "End an agent for good: its keys are revoked, its runs stopped"},
        [world](Call& call) { return world.control.terminate(call.actor, call.subject_id); });
}

void add_state_routes(http::Router& router, const RouteWorld& world) {
    router.add<None, None, RuntimeState>(
        {Method::get, "/agents/{id}/runtime-state", Rule::board_of_company, Subject::agent,
         "What an agent's runs have come to together"},
        [world](Call& call) {
            return world.runs.sessions().runtime_state(world.agents.get(call.subject_id));
        });

    router.add<None, None, std::vector<TaskSession>>(
        {Method::get, "/agents/{id}/task-sessions", Rule::board_of_company, Subject::agent,
         "The sessions of an agent's tool, by task"},
        [world](Call& call) { return world.runs.sessions().list(call.subject_id); });

    router.add<None, ResetInput, RuntimeState>(
        {Method::post, "/agents/{id}/runtime-state/reset-session", Rule::board_of_company,
         Subject::agent, "Let an agent's next run start fresh"},
        [world](Call& call, Patch<ResetInput>& input) {
            const auto agent = world.agents.get(call.subject_id);
            world.runs.sessions().reset(call.actor, agent, input.value.task_key);
            return world.runs.sessions().runtime_state(agent);
        });

    router.add<None, None, std::vector<SchedulerHeartbeat>>(
        {Method::get, "/instance/scheduler-heartbeats", Rule::board, Subject::none,
         "Which agents wake by themselves, and when next"},
        [world](Call&) { return heartbeats(world); });
}

}  // namespace

void add_wake_routes(http::Router& router, const RouteWorld& world) {
    router.add<None, WakeInput, WakeAnswer>(
        {Method::post, "/agents/{id}/wakeup", Rule::member, Subject::agent, "Wake an agent", 202},
        [world](Call& call, Patch<WakeInput>& input) { return ask(world, call, input.value); });

    router.add<None, None, WakeAnswer>({Method::post, "/agents/{id}/heartbeat/invoke", Rule::member,
                                        Subject::agent, "Wake an agent, just so", 202},
                                       [world](Call& call) { return ask(world, call, {}); });

    add_control_routes(router, world);
    add_state_routes(router, world);
}

}  // namespace paperclip::runs
