#pragma once

#include "engine/runs/run_engine.hpp"

#include <string>
#include <vector>

namespace paperclip::runs {

enum class SilenceLevel { ok, suspicious, critical };
BOOST_DESCRIBE_ENUM(SilenceLevel, ok, suspicious, critical)

/// For how long a running run has printed nothing.
struct OutputSilence {
    std::optional<Time> last_output_at;
    std::int64_t last_output_seq = 0;
    std::optional<std::string> last_output_stream;
    std::optional<Time> silence_started_at;
    std::optional<std::int64_t> silence_age_ms;
    SilenceLevel level = SilenceLevel::ok;
    std::int64_t suspicion_threshold_ms = 3'600'000;
    std::int64_t critical_threshold_ms = 14'400'000;
};
BOOST_DESCRIBE_STRUCT(OutputSilence, (),
                      (last_output_at, last_output_seq, last_output_stream, silence_started_at,
                       silence_age_ms, level, suspicion_threshold_ms, critical_threshold_ms))

/// A run as the API shows it.
struct RunView : Run {
    std::optional<OutputSilence> output_silence;  ///< of a running one
};
BOOST_DESCRIBE_STRUCT(RunView, (Run), (output_silence))

/// A run in a list of what is going on, with its agent.
struct LiveRun {
    Id id;
    Id company_id;
    RunStatus status = RunStatus::queued;
    WakeSource invocation_source = WakeSource::on_demand;
    std::optional<TriggerDetail> trigger_detail;
    std::optional<Id> context_comment_id;
    std::optional<Id> context_wake_comment_id;
    std::optional<Time> started_at;
    std::optional<Time> finished_at;
    Time created_at;
    Id agent_id;
    std::string agent_name;
    std::string adapter_type;
    std::optional<std::int64_t> log_bytes;
    std::optional<std::string> liveness_state;
    std::optional<std::string> liveness_reason;
    std::int64_t continuation_attempt = 0;
    std::optional<Time> last_useful_action_at;
    std::optional<std::string> next_action;
    std::optional<Time> last_output_at;
    std::int64_t last_output_seq = 0;
    std::optional<std::string> last_output_stream;
    std::optional<std::int64_t> last_output_bytes;
    std::optional<Time> process_started_at;
    std::optional<Id> issue_id;
    std::optional<OutputSilence> output_silence;
};
BOOST_DESCRIBE_STRUCT(LiveRun, (),
                      (id, company_id, status, invocation_source, trigger_detail,
                       context_comment_id, context_wake_comment_id, started_at, finished_at,
                       created_at, agent_id, agent_name, adapter_type, log_bytes, liveness_state,
                       liveness_reason, continuation_attempt, last_useful_action_at, next_action,
                       last_output_at, last_output_seq, last_output_stream, last_output_bytes,
                       process_started_at, issue_id, output_silence))

/// A run in the history of an issue.
struct IssueRun {
    Id run_id;
    RunStatus status = RunStatus::queued;
    Id agent_id;
    std::string adapter_type;
    std::optional<Time> started_at;
    std::optional<Time> finished_at;
    Time created_at;
    WakeSource invocation_source = WakeSource::on_demand;
    std::optional<std::string> responsible_user_id;
    std::optional<std::string> error;
    std::optional<std::string> error_code;
    std::optional<Json> usage_json;
    std::optional<Json> result_json;  ///< without what the run printed
    std::optional<std::int64_t> log_bytes;
    std::optional<Id> retry_of_run_id;
    std::optional<Time> scheduled_retry_at;
    std::int64_t scheduled_retry_attempt = 0;
    std::optional<std::string> scheduled_retry_reason;
    std::optional<std::string> liveness_state;
    std::optional<std::string> liveness_reason;
    std::int64_t continuation_attempt = 0;
    std::optional<Time> last_useful_action_at;
    std::optional<std::string> next_action;
    std::vector<Id> wake_comment_ids;
    std::optional<Id> wake_comment_id;
    std::optional<Id> context_comment_id;
    std::optional<Id> context_issue_id;
};
BOOST_DESCRIBE_STRUCT(IssueRun, (),
                      (run_id, status, agent_id, adapter_type, started_at, finished_at, created_at,
                       invocation_source, responsible_user_id, error, error_code, usage_json,
                       result_json, log_bytes, retry_of_run_id, scheduled_retry_at,
                       scheduled_retry_attempt, scheduled_retry_reason, liveness_state,
                       liveness_reason, continuation_attempt, last_useful_action_at, next_action,
                       wake_comment_ids, wake_comment_id, context_comment_id, context_issue_id))

/// The payload of the live event `heartbeat.run.log` for a line of a run's log: at most 8 KiB of
/// it.
std::string log_event(const Run& run, std::string_view line);

/// Shows runs as they are at this moment: their rows, and what live sessions know beyond that.
/// Thread-safe.
class RunViews {
 public:
    RunViews(Core core, const RunEngine& engine) : core_(core), engine_(engine) {}

    RunView view(Run run) const;
    std::vector<RunView> view(std::vector<Run> runs) const;
    /// The queued and running runs of a company, newest first; with finished ones up to
    /// `min_count`.
    std::vector<LiveRun> live(const Id& company, std::int64_t min_count, std::int64_t limit) const;
    /// Those of an issue.
    std::vector<LiveRun> live_of_issue(const Id& issue) const;
    /// Every run that was for an issue, or did something to it, newest first.
    std::vector<IssueRun> of_issue(const Id& issue) const;

 private:
    [[nodiscard]] LiveRun live(const Run& run, std::string agent_name,
                               std::string adapter_type) const;

    Core core_;
    const RunEngine& engine_;
};

}  // namespace paperclip::runs
