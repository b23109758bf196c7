#include "engine/runs/runs.hpp"

#include "engine/runs/setup.hpp"

#include <algorithm>

namespace paperclip::runs {

using storage::operator""_sql;

namespace {

/// After so many failures of one kind in a row the agent is paused: more of them help nobody.
constexpr std::int64_t k_failures_to_pause = 6;
constexpr std::int64_t k_max_transient_retries = 4;
constexpr std::chrono::minutes k_retry_delays[] = {std::chrono::minutes(2),
                                                   std::chrono::minutes(10),
                                                   std::chrono::minutes(30), std::chrono::hours(2)};

bool is_failure(RunStatus status) {
    return status == RunStatus::failed || status == RunStatus::timed_out;
}

bool is_transient(int error_class) {
    return error_class == PC_CLASS_RATE_LIMIT || error_class == PC_CLASS_QUOTA;
}

std::string usage_json(const pluginhost::UsageAction& usage) {
    std::string out;
    JsonWriter w(out);
    w.begin_object().member("inputTokens", usage.input_tokens);
    w.member("cachedInputTokens", usage.cached_input_tokens);
    w.member("outputTokens", usage.output_tokens);
    if (usage.cost_micros >= 0) {
        w.member("costUsd", static_cast<double>(usage.cost_micros) / 1e6);
    }
    if (!usage.provider.empty()) w.member("provider", usage.provider);
    if (!usage.model.empty()) w.member("model", usage.model);
    if (!usage.billing_type.empty()) w.member("billingType", usage.billing_type);
    w.end_object();
    return out;
}

bool has_usage(const pluginhost::UsageAction& usage) {
    return usage.cost_micros > 0 || usage.input_tokens > 0 || usage.cached_input_tokens > 0 ||
           usage.output_tokens > 0;
}

governance::CostEvent cost_of(const Run& run, const RunOutcome& outcome, Time now) {
    const auto& usage = outcome.usage;
    governance::CostEvent event;
    event.company_id = run.company_id;
    event.agent_id = run.agent_id;
    event.issue_id = run.issue_id;
    event.heartbeat_run_id = run.id;
    event.provider = usage.provider.empty() ? "unknown" : usage.provider;
    event.biller = usage.biller.empty() ? event.provider : usage.biller;
    event.billing_type = parse_word<governance::BillingType>(usage.billing_type)
                             .value_or(governance::BillingType::unknown);
    if (usage.cost_micros < 0) event.cost_status = governance::CostStatus::unpriced;
    event.model = usage.model.empty() ? "unknown" : usage.model;
    event.input_tokens = usage.input_tokens;
    event.cached_input_tokens = usage.cached_input_tokens;
    event.output_tokens = usage.output_tokens;
    event.cost.micros = std::max<std::int64_t>(0, usage.cost_micros);
    event.occurred_at = now;
    return event;
}

}  // namespace

std::optional<std::string> task_key_of(const Wake& wake) {
    if (wake.context.task_key) return wake.context.task_key;
    if (wake.context.task_id) return wake.context.task_id->str();
    if (wake.context.issue_id) return wake.context.issue_id->str();
    if (wake.source == WakeSource::timer) return "__heartbeat__";
    return std::nullopt;
}

std::optional<Run> Runs::find(const Id& id) {
    return core_.store.one<Run>("run.by_id"_sql, {{"id", id}});
}

Run Runs::get(const Id& id) {
    if (auto run = find(id)) return *run;
    throw Error(ErrorKind::not_found, "Heartbeat run not found");
}

std::vector<Run> Runs::list(const Id& company, const Filter& filter) {
    storage::Composition composition;
    std::vector<storage::Arg> args{{"company_id", company}, {"limit", filter.limit}};
    if (filter.agent_id) {
        composition.parts.push_back("agent");
        args.emplace_back("agent_id", *filter.agent_id);
    }
    if (filter.issue_id) {
        composition.parts.push_back("issue");
        args.emplace_back("issue_id", *filter.issue_id);
    }
    return core_.store.all<Run>(core_.store.compose("run.list"_sql, composition), args);
}

std::vector<Run> Runs::in_status(RunStatus status) {
    return core_.store.all<Run>("run.all_in_status"_sql, {{"status", status}});
}

std::vector<Run> Runs::open_of_agent(const Id& agent) {
    return core_.store.all<Run>("run.open_of_agent"_sql, {{"agent_id", agent}});
}

std::optional<Run> Runs::joined_by(const Wake& wake) {
    return core_.store.one<Run>("run.joined_by"_sql,
                                {{"agent_id", wake.agent_id},
                                 {"task_key", task_key_of(wake)},
                                 {"is_heartbeat", wake.source == WakeSource::timer}});
}

std::optional<Run> Runs::last_ended_of_agent(const Id& agent) {
    return core_.store.one<Run>("run.last_ended_of_agent"_sql, {{"agent_id", agent}});
}

std::vector<Run> Runs::open_of_issue(const Id& issue) {
    return core_.store.all<Run>("run.open_of_issue"_sql, {{"issue_id", issue}});
}

std::vector<Id> Runs::agents_with_queued() {
    std::vector<Id> agents;
    core_.store.each("run.agents_with_queued"_sql, {},
                     [&](storage::Row row) { agents.push_back(Id::trusted(row[0].as_text())); });
    return agents;
}

std::vector<RunEvent> Runs::events(const Id& run, std::int64_t after, std::int64_t limit) {
    return core_.store.all<RunEvent>("run.events"_sql,
                                     {{"run_id", run}, {"after", after}, {"limit", limit}});
}

void Runs::add_event(storage::Unit& unit, const Run& run, std::string_view type,
                     std::string_view level, std::string_view message,
                     const std::optional<std::string>& payload) {
    unit.add("run.event"_sql, {{"company_id", run.company_id},
                               {"run_id", run.id},
                               {"agent_id", run.agent_id},
                               {"event_type", type},
                               {"level", level},
                               {"message", message},
                               {"payload", payload},
                               {"now", core_.clock.now()}});
}

void Runs::announce(storage::Unit& unit, const Run& run) {
    std::string payload;
    JsonWriter w(payload);
    w.begin_object().member("runId", run.id.view()).member("agentId", run.agent_id.view());
    w.member("status", word(run.status)).member("invocationSource", word(run.invocation_source));
    if (run.issue_id) w.member("issueId", run.issue_id->view());
    if (run.error) w.member("error", *run.error);
    if (run.error_code) w.member("errorCode", *run.error_code);
    if (run.started_at) w.member("startedAt", *run.started_at);
    if (run.finished_at) w.member("finishedAt", *run.finished_at);
    w.end_object();
    const bool queued = run.status == RunStatus::queued;
    core_.journal.event(unit, run.company_id,
                        queued ? "heartbeat.run.queued" : "heartbeat.run.status", "heartbeat_run",
                        run.id.str(), payload);
}

void Runs::announce_agent(storage::Unit& unit, const Run& run, std::string_view status) {
    std::string payload;
    JsonWriter(payload)
        .begin_object()
        .member("agentId", run.agent_id.view())
        .member("status", status)
        .end_object();
    core_.journal.event(unit, run.company_id, "agent.status", "agent", run.agent_id.str(), payload);
}

void Runs::add_wish(storage::Unit& unit, const Wake& wake, const agents::Agent& agent,
                    const WishState& state) {
    unit.add("wakeup.insert"_sql, {{"id", state.id},
                                   {"company_id", agent.company_id},
                                   {"agent_id", agent.id},
                                   {"source", wake.source},
                                   {"trigger_detail", wake.trigger_detail},
                                   {"reason", wake.reason},
                                   {"payload", wake.payload},
                                   {"context", to_snapshot(wake.context)},
                                   {"status", state.status},
                                   {"skip_reason", state.skip_reason},
                                   {"turned_away", is_turned_away(state.skip_reason.value_or(""))},
                                   {"run_id", state.run_id},
                                   {"issue_id", wake.context.issue_id},
                                   {"requested_by_type", wake.requested_by.type},
                                   {"requested_by_id", wake.requested_by.id()},
                                   {"idempotency_key", wake.idempotency_key},
                                   {"cause_seq", wake.cause_seq},
                                   {"repeat_of", wake.repeat_of},
                                   {"coalesced_count", state.status == "coalesced" ? 1 : 0},
                                   {"now", core_.clock.now()}})
        // Somebody else was first with a wish of the same cause or name: whoever wishes looks
        // again.
        .taken([] { throw storage::Conflict(0, "wakeup.insert"); });
}

Run Runs::add_queue(storage::Unit& unit, const Wake& wake, const agents::Agent& agent) {
    Run run;
    run.id = core_.ids.next();
    run.company_id = agent.company_id;
    run.agent_id = agent.id;
    run.invocation_source = wake.source;
    run.trigger_detail = wake.trigger_detail;
    run.wakeup_request_id = core_.ids.next();
    run.task_key = task_key_of(wake);
    run.issue_id = wake.context.issue_id;
    run.context_snapshot = to_snapshot(wake.context);
    run.retry_of_run_id = wake.context.retry_of_run_id;
    run.created_at = run.updated_at = core_.clock.now();
    if (!wake.requested_by.user_id.empty()) run.responsible_user_id = wake.requested_by.user_id;
    add_wish(unit, wake, agent,
             {.id = *run.wakeup_request_id, .status = "queued", .run_id = run.id});
    unit.add_row("run.insert"_sql, run);
    announce(unit, run);
    return run;
}

/// A wake for an issue that has meanwhile gone to somebody else, or is finished, is for nothing.
bool Runs::cancel_if_stale(const Run& run) {
    if (!run.issue_id) return false;
    const auto reason = from_snapshot(run.context_snapshot).wake_reason.value_or("");
    if (reason == "issue_comment_mentioned") return false;
    const auto issue = core_.store.one<work::Issue>("issue.by_id"_sql, {{"id", *run.issue_id}});
    const bool elsewhere = !issue || issue->assignee_agent_id != run.agent_id;
    if (!elsewhere && !work::is_terminal(issue->status)) return false;
    cancel_waiting(run.id, Actor::engine(), elsewhere ? "issue_assignee_changed" : "issue_terminal",
                   elsewhere ? "Cancelled because the issue is not the agent's (any more)"
                             : "Cancelled because the issue is finished");
    return true;
}

Runs::Claim Runs::claim(const agents::Agent& agent, std::optional<Run>& run) {
    auto next = core_.store.one<Run>("run.next_queued"_sql, {{"agent_id", agent.id}});
    if (!next) return Claim::none;
    if (cancel_if_stale(*next)) {
        run = std::move(next);
        return Claim::again;
    }
    const Time now = core_.clock.now();
    const auto policy = agents::parse_runtime_config(agent.runtime_config).heartbeat;

    storage::Unit unit = core_.store.unit();
    auto outcome = Claim::again;
    const auto full = [&outcome] {
        outcome = Claim::full;
        throw storage::Conflict(0, "claim");
    };
    unit.add("agent.run_started"_sql,
             {{"id", agent.id}, {"max_concurrent_runs", policy.max_concurrent_runs}, {"now", now}})
        .otherwise(full);
    unit.add("company.run_started"_sql, {{"id", agent.company_id}}).otherwise(full);
    governance::Reservation reservation;
    switch (budgets_.add_reserve(unit, {agent.company_id, agent.id}, reservation)) {
        case governance::Budgets::Room::yes:
            break;
        case governance::Budgets::Room::later:
            return Claim::full;
        case governance::Budgets::Room::none:
            cancel_waiting(next->id, Actor::engine(), "budget.blocked", "The budget is used up");
            run = std::move(next);
            return Claim::again;
    }
    std::string session;
    if (next->task_key) {
        core_.store.each("session.find"_sql,
                         {{"agent_id", agent.id},
                          {"adapter_type", agent.adapter_type},
                          {"task_key", *next->task_key}},
                         [&](storage::Row row) { session = row[1].as_text(); });
    }
    const std::string log_ref =
        agent.company_id.str() + "/" + agent.id.str() + "/" + next->id.str() + ".ndjson";
    unit.add("run.claim"_sql,
             {{"id", next->id},
              {"now", now},
              {"reserved", reservation.amount},
              {"reserved_month", reservation.month},
              {"cost_cap", reservation.cap},
              {"log_ref", log_ref},
              {"session_id_before", session.empty() ? std::nullopt : std::optional(session)}})
        .into(*next);
    if (next->issue_id) issues_.add_lease_for_run(unit, *next->issue_id, agent.id, next->id);
    unit.add("wakeup.set_status_of_run"_sql,
             {{"run_id", next->id}, {"status", "claimed"}, {"turned_away", false}, {"now", now}})
        .any();
    Run started = *next;
    started.status = RunStatus::running;
    started.started_at = now;
    add_event(unit, started, "lifecycle", "info", "run started");
    announce(unit, started);
    if (agent.status != agents::AgentStatus::running) announce_agent(unit, started, "running");
    try {
        core_.store.submit(unit);
    } catch (const storage::Conflict&) {
        return outcome;
    }
    run = std::move(next);
    return Claim::claimed;
}

bool Runs::store_process(const Run& run, const pluginhost::ProcessIdentity& process,
                         const std::string& invocation) {
    storage::Unit unit = core_.store.unit();
    unit.add("run.store_process"_sql, {{"id", run.id},
                                       {"pid", process.pid},
                                       {"start_ticks", process.start_ticks},
                                       {"boot_id", process.boot_id},
                                       {"now", core_.clock.now()}});
    add_event(unit, run, "adapter.invoke", "info", "adapter invocation", invocation);
    try {
        core_.store.submit(unit);
        return true;
    } catch (const storage::Conflict&) {
        return false;
    }
}

bool Runs::requeue(const Run& run) {
    storage::Unit unit = core_.store.unit();
    unit.add("run.requeue"_sql, {{"id", run.id}, {"now", core_.clock.now()}});
    budgets_.add_release(unit, {run.company_id, run.agent_id},
                         {run.reserved, run.reserved_month, {}});
    issues_.add_end_leases(unit, run.id);
    unit.add("agent.run_withdrawn"_sql, {{"id", run.agent_id}, {"now", core_.clock.now()}});
    unit.add("company.run_ended"_sql, {{"id", run.company_id}});
    Run queued = run;
    queued.status = RunStatus::queued;
    announce(unit, queued);
    try {
        core_.store.submit(unit);
        return true;
    } catch (const storage::Conflict&) {
        return false;
    }
}

std::optional<Run> Runs::add_retry(storage::Unit& unit, const Run& run, const RunOutcome& outcome) {
    const bool lost = outcome.error_class == PC_CLASS_LOST && run.process_loss_retry_count < 1;
    const bool transient =
        is_transient(outcome.error_class) && run.scheduled_retry_attempt < k_max_transient_retries;
    if (!lost && !transient) return std::nullopt;
    Wake wake;
    wake.agent_id = run.agent_id;
    wake.source = WakeSource::automation;
    wake.trigger_detail = TriggerDetail::system;
    wake.reason = lost ? "process_lost_retry" : "transient_failure_retry";
    wake.context = from_snapshot(run.context_snapshot);
    wake.context.wake_reason = wake.reason;
    wake.context.retry_of_run_id = run.id;
    wake.context.task_key = run.task_key;
    const agents::Agent agent = agents_.get(run.agent_id);
    Run retry = add_queue(unit, wake, agent);  // what makes it a retry is set below
    retry.process_loss_retry_count = run.process_loss_retry_count + (lost ? 1 : 0);
    retry.scheduled_retry_attempt = run.scheduled_retry_attempt + (transient ? 1 : 0);
    retry.scheduled_retry_reason = wake.reason;
    if (transient) {
        // The provider's own word for when it takes us again beats any guess.
        retry.status = RunStatus::scheduled_retry;
        retry.scheduled_retry_at = outcome.retry_at.value_or(
            core_.clock.now() + k_retry_delays[run.scheduled_retry_attempt]);
    }
    unit.add("run.set_retry"_sql, {{"id", retry.id},
                                   {"status", retry.status},
                                   {"process_loss_retry_count", retry.process_loss_retry_count},
                                   {"scheduled_retry_at", retry.scheduled_retry_at},
                                   {"scheduled_retry_attempt", retry.scheduled_retry_attempt},
                                   {"scheduled_retry_reason", retry.scheduled_retry_reason}});
    return retry;
}

void Runs::add_summary_comment(storage::Unit& unit, const Run& run, const RunOutcome& outcome) {
    if (outcome.status != RunStatus::succeeded || outcome.summary.empty() || !run.issue_id) return;
    if (core_.store.integer("run.comment_by_run"_sql, {{"run_id", run.id}})) return;
    Actor actor;
    actor.type = ActorType::agent;
    actor.source = Actor::Source::engine;
    actor.agent_id = run.agent_id;
    actor.company_id = run.company_id;
    actor.run_id = run.id;
    issues_.add_run_comment(unit, actor, *run.issue_id, outcome.summary);
}

std::optional<Finished> Runs::finish(const Run& run, const RunOutcome& outcome) {
    const Time now = core_.clock.now();
    const agents::Agent agent = agents_.get(run.agent_id);
    const bool failed = is_failure(outcome.status);
    const std::int64_t cost = std::max<std::int64_t>(0, outcome.usage.cost_micros);
    Finished finished{run, {}};
    Run& ended = finished.run;
    ended.status = outcome.status;
    ended.finished_at = now;
    ended.error = outcome.error;
    ended.error_code = outcome.error_code;

    storage::Unit unit = core_.store.unit();
    std::optional<std::string> usage;
    if (has_usage(outcome.usage)) usage = usage_json(outcome.usage);
    std::optional<std::string> session_after;
    if (outcome.session) session_after = outcome.session->display_id;
    unit.add("run.finish"_sql,
             {{"id", run.id},
              {"status", outcome.status},
              {"now", now},
              {"error", outcome.error},
              {"error_code", outcome.error_code},
              {"exit_code", outcome.exit_code},
              {"signal", outcome.signal},
              {"usage_json", usage},
              {"result_json", outcome.result_json},
              {"session_id_after", session_after},
              {"log_bytes", outcome.log_bytes},
              {"log_sha256", outcome.log_sha256},
              {"stdout_excerpt", outcome.stdout_excerpt},
              {"stderr_excerpt", outcome.stderr_excerpt},
              {"last_output_at", outcome.last_output_at},
              {"last_output_seq", outcome.last_output_seq},
              {"last_output_stream", outcome.last_output_stream},
              {"last_output_bytes", outcome.last_output_bytes},
              {"liveness_state", failed ? "failed" : "advanced"},
              {"liveness_reason", "Run ended with " + std::string(word(outcome.status))},
              {"cost", cost},
              {"input_tokens", outcome.usage.input_tokens},
              {"cached_input_tokens", outcome.usage.cached_input_tokens},
              {"output_tokens", outcome.usage.output_tokens}})
        .into(ended);
    issues_.add_end_leases(unit, run.id);
    unit.add("agent.run_ended"_sql, {{"id", run.agent_id},
                                     {"failed", failed},
                                     {"error_reason", outcome.error},
                                     {"error_code", outcome.error_code},
                                     {"now", now}});
    unit.add("company.run_ended"_sql, {{"id", run.company_id}});
    budgets_.add_settle(unit, {run.reserved, run.reserved_month, {}}, cost_of(run, outcome, now));
    unit.add("agent.pause_on_failures"_sql, {{"id", run.agent_id},
                                             {"limit", k_failures_to_pause},
                                             {"permanent", outcome.error_class == PC_CLASS_AUTH},
                                             {"now", now}})
        .any();
    unit.add("wakeup.set_status_of_run"_sql,
             {{"run_id", run.id},
              {"status", outcome.status == RunStatus::succeeded   ? "completed"
                         : outcome.status == RunStatus::cancelled ? "cancelled"
                                                                  : "failed"},
              {"turned_away", is_turned_away(outcome.error_code.value_or(""))},
              {"now", now}})
        .any();
    if (outcome.error_code == "budget.hard_stop") {
        unit.add("wakeup.cut_off_by_budget"_sql, {{"run_id", run.id}}).any();
    }
    unit.add("runtime_state.add_run"_sql,
             {{"agent_id", run.agent_id},
              {"company_id", run.company_id},
              {"adapter_type", agent.adapter_type},
              {"run_id", run.id},
              {"status", outcome.status},
              {"input_tokens", outcome.usage.input_tokens},
              {"output_tokens", outcome.usage.output_tokens},
              {"cached_input_tokens", outcome.usage.cached_input_tokens},
              {"cost", cost},
              {"error", outcome.error},
              {"now", now}});
    sessions_.add_outcome(unit, run, agent, outcome);
    add_summary_comment(unit, run, outcome);
    std::string payload;
    JsonWriter w(payload);
    w.begin_object().member("status", word(outcome.status));
    if (outcome.exit_code) w.member("exitCode", *outcome.exit_code);
    w.end_object();
    add_event(unit, run, "lifecycle", failed ? "error" : "info",
              "run " + std::string(word(outcome.status)), payload);
    announce(unit, ended);
    announce_agent(unit, ended, failed ? "error" : "idle");
    finished.retry = add_retry(unit, run, outcome);
    try {
        core_.store.submit(unit);
    } catch (const storage::Conflict&) {
        return std::nullopt;  // somebody else ended it
    }
    return finished;
}

bool Runs::extend(Run& run, Money more) {
    if (!budgets_.extend(
            {run.company_id, run.agent_id}, {run.reserved, run.reserved_month, {}}, more,
            [&](storage::Unit& unit) {
                unit.add("run.extend_reservation"_sql, {{"id", run.id}, {"amount", more}});
            })) {
        return false;
    }
    run.reserved = run.reserved + more;
    return true;
}

std::optional<Run> Runs::cancel_waiting(const Id& id, const Actor& actor, std::string_view code,
                                        const std::string& error) {
    Run run;
    storage::Unit unit = core_.store.unit();
    unit.add("run.cancel_waiting"_sql,
             {{"id", id}, {"error", error}, {"error_code", code}, {"now", core_.clock.now()}})
        .into(run);
    unit.add("wakeup.set_status_of_run"_sql, {{"run_id", id},
                                              {"status", "cancelled"},
                                              {"turned_away", is_turned_away(code)},
                                              {"now", core_.clock.now()}})
        .any();
    const Run before = get(id);
    Run after = before;
    after.status = RunStatus::cancelled;
    after.error = error;
    after.error_code = code;
    announce(unit, after);
    if (actor.source != Actor::Source::engine) {
        core_.journal.activity(
            unit, actor, {before.company_id, "heartbeat.cancelled", "heartbeat_run", id.str()});
    }
    try {
        core_.store.submit(unit);
    } catch (const storage::Conflict&) {
        return std::nullopt;
    }
    return run;
}

storage::Unit::Added Runs::add_cancel_waiting(storage::Unit& unit, const Id& agent,
                                              std::string_view code, const std::string& error) {
    for (const Run& run : open_of_agent(agent)) {
        if (run.status == RunStatus::running) continue;
        Run ended = run;
        ended.status = RunStatus::cancelled;
        ended.error_code = code;
        announce(unit, ended);
        unit.add("wakeup.set_status_of_run"_sql, {{"run_id", run.id},
                                                  {"status", "cancelled"},
                                                  {"turned_away", is_turned_away(code)},
                                                  {"now", core_.clock.now()}})
            .any();
    }
    return unit
        .add("run.cancel_waiting_of_agent"_sql, {{"agent_id", agent},
                                                 {"error", error},
                                                 {"error_code", code},
                                                 {"now", core_.clock.now()}})
        .any();
}

std::optional<Run> Runs::promote_retry(const Id& id) {
    Run run;
    storage::Unit unit = core_.store.unit();
    unit.add("run.promote_retry"_sql, {{"id", id}, {"now", core_.clock.now()}}).into(run);
    Run queued = get(id);
    queued.status = RunStatus::queued;
    announce(unit, queued);
    try {
        core_.store.submit(unit);
    } catch (const storage::Conflict&) {
        return std::nullopt;
    }
    return run;
}

void add_sql(storage::Catalogue& catalogue) {
    catalogue.add_struct<Run>();
    catalogue.add_struct<RunEvent>();
    catalogue.add_struct<RuntimeState>();
    catalogue.add_struct<TaskSession>();
    catalogue.add(storage::runs_sql());
}

}  // namespace paperclip::runs
