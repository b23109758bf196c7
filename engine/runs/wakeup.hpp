#pragma once

#include "engine/base/actor.hpp"
#include "engine/runs/run.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::runs {

/// What an agent is woken for. Kept with the run as its context snapshot; the members that a wake
/// has nothing to say about are absent.
struct WakeContext {
    std::optional<std::string> wake_reason;
    std::optional<std::string> wake_source;
    std::optional<std::string> wake_trigger_detail;
    std::optional<Id> issue_id;
    std::optional<Id> task_id;
    std::optional<std::string> task_key;
    std::optional<Id> project_id;
    std::optional<Id> comment_id;
    std::optional<Id> wake_comment_id;
    std::vector<Id> wake_comment_ids;
    std::optional<Id> approval_id;
    std::optional<std::string> approval_status;
    std::optional<bool> force_fresh_session;
    std::optional<std::string> check_output;  ///< what the agent's check command printed
    std::optional<std::string> triggered_by;
    std::optional<std::string> actor_id;
    std::optional<Id> retry_of_run_id;
};
BOOST_DESCRIBE_STRUCT(WakeContext, (),
                      (wake_reason, wake_source, wake_trigger_detail, issue_id, task_id, task_key,
                       project_id, comment_id, wake_comment_id, wake_comment_ids, approval_id,
                       approval_status, force_fresh_session, check_output, triggered_by, actor_id,
                       retry_of_run_id))

/// The context as JSON without the members that are absent.
Json to_snapshot(const WakeContext& context);
WakeContext from_snapshot(const Json& snapshot);
/// `newer` laid over `older`: what two wakes that become one run know together.
WakeContext merge(const WakeContext& older, const WakeContext& newer);

/// A wish that an agent should run.
struct Wake {
    Id agent_id;
    WakeSource source = WakeSource::on_demand;
    std::optional<TriggerDetail> trigger_detail;
    std::optional<std::string> reason;
    Json payload;
    std::optional<std::string> idempotency_key;
    Actor requested_by = Actor::engine();
    std::optional<std::int64_t> cause_seq;  ///< of the journal record that caused it
    std::optional<Id> repeat_of;            ///< the wish that was turned away before
    WakeContext context;
};

/// Does a wish that was skipped, or a run that was cancelled, for this reason have its turn when
/// the agent can run again? (Of a run that a budget's hard stop ended, the store knows.)
bool is_turned_away(std::string_view code) noexcept;

/// What became of a wish.
struct WakeOutcome {
    std::optional<Run> run;   ///< the new run, or the one that it was merged into
    std::string skip_reason;  ///< why there is none
    std::string message;
};

}  // namespace paperclip::runs
