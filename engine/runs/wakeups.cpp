#include "engine/runs/wakeups.hpp"

#include <algorithm>

namespace paperclip::runs {

using storage::operator""_sql;

namespace {

[[noreturn]] void refuse(const agents::Agent& agent, const std::string& reason, bool broken_chain) {
    std::string details;
    JsonWriter w(details);
    w.begin_object().member("status", word(agent.status)).member("reason", reason);
    w.member("invalidOrgChain", broken_chain).member("agentId", agent.id.view());
    w.member("agentStatus", word(agent.status)).end_object();
    throw Error(ErrorKind::conflict, "Agent is not invokable in its current state", {}, details);
}

/// A comment must be read by a run that begins after it; so must what a fresh start was asked for.
bool needs_own_run(const Wake& wake) {
    return wake.context.wake_comment_id || wake.context.force_fresh_session == true;
}

bool is_by_person(const Wake& wake) {
    return wake.requested_by.is_board();
}

/// A wish that was kept, with the row it is kept in.
struct KeptWish {
    Id id;
    Wake wake;
    std::string context;

    explicit KeptWish(storage::Row row)
        : id(Id::trusted(row[0].as_text())), context(row[6].as_text()) {
        wake.agent_id = Id::trusted(row[1].as_text());
        wake.source = parse_word<WakeSource>(row[2].as_text()).value_or(WakeSource::automation);
        wake.trigger_detail = parse_word<TriggerDetail>(row[3].as_text());
        if (!row[4].as_text().empty()) wake.reason = std::string(row[4].as_text());
        wake.payload = Json::trusted(std::string(row[5].as_text()));
        wake.context = from_snapshot(Json{context});
    }
};

/// Looks again when something began, ended or was added between the looking and the writing.
template <class Work>
auto settle(const Work& look_and_write) {
    constexpr int k_attempts = 20;
    for (int attempt = 1;; ++attempt) {
        try {
            return look_and_write();
        } catch (const storage::Conflict&) {
            if (attempt == k_attempts) throw;
        }
    }
}

}  // namespace

WakeOutcome Wakeups::decide(const Wake& wake, bool asked) {
    const std::lock_guard turn(turns_[std::hash<Id>{}(wake.agent_id) % turns_.size()]);
    return settle([&] { return try_decide(wake, asked); });
}

WakeOutcome Wakeups::try_decide(const Wake& wake, bool asked) {
    const agents::Agent agent = agents_.get(wake.agent_id);
    if (wake.cause_seq &&
        core_.store.integer("wakeup.known_cause"_sql, {{"company_id", agent.company_id},
                                                       {"cause_seq", *wake.cause_seq},
                                                       {"agent_id", agent.id}})) {
        return {std::nullopt, "duplicate", "This record has woken the agent already"};
    }
    if (wake.repeat_of &&
        core_.store.integer("wakeup.known_repeat"_sql, {{"id", *wake.repeat_of}})) {
        return {std::nullopt, "duplicate", "The wish was repeated already"};
    }
    if (wake.idempotency_key) {
        if (auto known = known_wish(agent.id, *wake.idempotency_key)) return *known;
    }
    const auto company = companies_.standing(agent.company_id);
    if (company.status != company::CompanyStatus::active) {
        const bool budget = company.pause_reason == "budget";
        if (asked) {
            throw Error(ErrorKind::conflict,
                        budget ? "Company budget is used up" : "Company is not active",
                        budget ? "budget.blocked" : "company.inactive");
        }
        return skip(wake, agent, budget ? "budget.blocked" : "company.inactive",
                    "Company is not active");
    }
    const bool chain_ok = agents_.health(agent).is_healthy();
    if (!agent.is_invokable() || !chain_ok) {
        const std::string reason = chain_ok ? std::string(word(agent.status)) : "invalid_org_chain";
        if (asked) refuse(agent, reason, !chain_ok);
        return skip(wake, agent, "agent.not_invokable", "Agent is " + reason);
    }
    const auto policy = agents::parse_runtime_config(agent.runtime_config).heartbeat;
    if (wake.source == WakeSource::timer ? !policy.enabled : !policy.wake_on_demand) {
        const bool timer = wake.source == WakeSource::timer;
        return skip(wake, agent, timer ? "heartbeat.disabled" : "heartbeat.wakeOnDemand.disabled",
                    timer ? "The agent has no heartbeat" : "The agent is not woken on demand");
    }
    if (!wake.context.issue_id) return for_task(wake, agent);
    const auto issue =
        core_.store.one<work::Issue>("issue.by_id"_sql, {{"id", *wake.context.issue_id}});
    if (!issue || issue->company_id != agent.company_id) {
        if (asked) throw Error(ErrorKind::not_found, "Issue not found");
        return skip(wake, agent, "issue_execution_issue_not_found", "The issue is gone");
    }
    return for_issue(wake, agent, *issue, asked);
}

std::optional<WakeOutcome> Wakeups::known_wish(const Id& agent, const std::string& key) {
    std::optional<WakeOutcome> known;
    std::string run;
    core_.store.each("wakeup.by_idempotency_key"_sql, {{"agent_id", agent}, {"key", key}},
                     [&](storage::Row row) {
                         run = row[0].as_text();
                         known.emplace();
                         known->skip_reason = row[1].as_text();
                     });
    if (!known) return std::nullopt;
    if (!run.empty()) known->run = runs_.find(Id::trusted(run));
    if (!known->run) known->message = "A wish of that idempotencyKey was answered before";
    return known;
}

WakeOutcome Wakeups::for_issue(Wake wake, const agents::Agent& agent, const work::Issue& issue,
                               bool asked) {
    wake.context.task_id = issue.id;
    if (!wake.context.task_key) wake.context.task_key = issue.id.str();
    wake.context.project_id = issue.project_id;
    const auto open = runs_.open_of_issue(issue.id);
    const auto own = [&](RunStatus status) -> const Run* {
        const auto found = std::find_if(open.begin(), open.end(), [&](const Run& run) {
            return run.agent_id == agent.id && run.status == status;
        });
        return found == open.end() ? nullptr : &*found;
    };
    // What waits for a provider to take the agent again waits for this, too.
    for (const RunStatus waiting : {RunStatus::queued, RunStatus::scheduled_retry}) {
        if (const Run* run = own(waiting)) return {merge_into(wake, agent, *run), {}, {}};
    }
    const Run* running = own(RunStatus::running);
    if (running != nullptr && !needs_own_run(wake) && !asked) {
        return {merge_into(wake, agent, *running), {}, {}};
    }
    const auto holder = std::find_if(open.begin(), open.end(), [&](const Run& run) {
        return run.status == RunStatus::running && issue.execution_run_id == run.id;
    });
    if (holder != open.end()) return defer(wake, agent, *holder);
    const auto blockers = issues_.unresolved_blockers(issue.id);
    const bool may_be_blocked = needs_own_run(wake) && is_by_person(wake);
    if (!blockers.empty() && !may_be_blocked) {
        return skip(wake, agent, "issue_dependencies_blocked", "The issue waits for other issues");
    }
    return queue(wake, agent);
}

WakeOutcome Wakeups::for_task(const Wake& wake, const agents::Agent& agent) {
    if (const auto run = runs_.joined_by(wake)) return {merge_into(wake, agent, *run), {}, {}};
    return queue(wake, agent);
}

void Wakeups::add_note(storage::Unit& unit, const Wake& wake, const agents::Agent& agent,
                       std::string_view status, const std::optional<std::string>& skip_reason,
                       const std::optional<Id>& run) {
    runs_.add_wish(
        unit, wake, agent,
        {.id = core_.ids.next(), .status = status, .skip_reason = skip_reason, .run_id = run});
}

WakeOutcome Wakeups::queue(const Wake& wake, const agents::Agent& agent) {
    storage::Unit unit = core_.store.unit();
    const Run run = runs_.add_queue(unit, wake, agent);
    core_.store.submit(unit);
    dispatch_(agent.id);
    return {run, {}, {}};
}

std::optional<Run> Wakeups::merge_into(const Wake& wake, const agents::Agent& agent,
                                       const Run& run) {
    Run merged = run;
    merged.context_snapshot = to_snapshot(merge(from_snapshot(run.context_snapshot), wake.context));
    merged.updated_at = core_.clock.now();
    storage::Unit unit = core_.store.unit();
    unit.add("run.merge"_sql, {{"id", run.id},
                               {"status", run.status},
                               {"context", merged.context_snapshot},
                               {"now", merged.updated_at}});
    add_note(unit, wake, agent, "coalesced", {}, run.id);
    core_.store.submit(unit);
    return merged;
}

WakeOutcome Wakeups::defer(const Wake& wake, const agents::Agent& agent, const Run& holder) {
    const auto waiting = core_.store.text("wakeup.deferred_context"_sql,
                                          {{"issue_id", holder.issue_id}, {"agent_id", agent.id}});
    storage::Unit unit = core_.store.unit();
    // The end of that run looks for wishes that wait for it: this one must be there before.
    unit.add("run.is_running"_sql, {{"id", holder.id}});
    if (waiting) {
        const Json context = to_snapshot(merge(from_snapshot(Json{*waiting}), wake.context));
        unit.add("wakeup.defer_again"_sql, {{"issue_id", holder.issue_id},
                                            {"agent_id", agent.id},
                                            {"context", context},
                                            {"now", core_.clock.now()}});
        if (wake.cause_seq || wake.repeat_of) add_note(unit, wake, agent, "coalesced", {}, {});
    } else {
        add_note(unit, wake, agent, "deferred_issue_execution", {}, {});
    }
    core_.store.submit(unit);
    return {std::nullopt, "deferred_issue_execution",
            "A run is at work on the issue; this wake has its turn when it ends"};
}

WakeOutcome Wakeups::skip(const Wake& wake, const agents::Agent& agent, std::string reason,
                          std::string message) {
    // A timer that is turned away is counted by the scheduler; a row for each would fill the disk.
    if (wake.source != WakeSource::timer) {
        storage::Unit unit = core_.store.unit();
        add_note(unit, wake, agent, "skipped", reason, {});
        core_.store.submit(unit);
    }
    return {std::nullopt, std::move(reason), std::move(message)};
}

void Wakeups::promote_deferred(const Id& issue) {
    while (settle([&] { return turn_away_or_queue(issue); })) {
    }
}

/// If nobody is at work, the oldest wish becomes a run; true when it was turned away, and the next
/// one has its turn.
bool Wakeups::turn_away_or_queue(const Id& issue) {
    const auto open = runs_.open_of_issue(issue);
    const bool busy = std::any_of(open.begin(), open.end(),
                                  [](const Run& run) { return run.status == RunStatus::running; });
    if (busy) return false;
    std::optional<KeptWish> next;
    core_.store.each("wakeup.deferred_of_issue"_sql, {{"issue_id", issue}},
                     [&](storage::Row row) { next.emplace(row); });
    if (!next) return false;
    const agents::Agent agent = agents_.get(next->wake.agent_id);
    const auto target = core_.store.one<work::Issue>("issue.by_id"_sql, {{"id", issue}});
    const bool open_issue = target && !work::is_terminal(target->status);
    const bool wanted = open_issue && agent.is_invokable();
    storage::Unit unit = core_.store.unit();
    std::optional<Id> run;
    if (wanted) run = runs_.add_queue(unit, next->wake, agent).id;
    unit.add("wakeup.resolve_deferred"_sql, {{"id", next->id},
                                             {"context", next->context},
                                             {"status", wanted ? "coalesced" : "skipped"},
                                             {"run_id", run},
                                             {"turned_away", open_issue && !wanted},
                                             {"now", core_.clock.now()}});
    core_.store.submit(unit);
    if (wanted) dispatch_(agent.id);
    return !wanted;
}

void Wakeups::repeat_turned_away(const Id& company) {
    std::vector<KeptWish> wishes;
    core_.store.each("wakeup.turned_away"_sql, {{"company_id", company}},
                     [&](storage::Row row) { wishes.emplace_back(row); });
    for (KeptWish& kept : wishes) {
        kept.wake.repeat_of = kept.id;
        wish(kept.wake);
        storage::Unit unit = core_.store.unit();
        unit.add("wakeup.repeated"_sql, {{"id", kept.id}, {"now", core_.clock.now()}}).any();
        core_.store.submit(unit);
    }
}

void Wakeups::promote_all_deferred() {
    std::vector<Id> waiting;
    core_.store.each("wakeup.issues_with_deferred"_sql, {},
                     [&](storage::Row row) { waiting.push_back(Id::trusted(row[0].as_text())); });
    for (const Id& issue : waiting) promote_deferred(issue);
}

}  // namespace paperclip::runs
