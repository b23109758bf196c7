#pragma once

#include "engine/base/described.hpp"

#include <optional>
#include <string>

namespace paperclip::runs {

enum class RunStatus {
    queued,
    scheduled_retry,
    running,
    succeeded,
    interrupted,
    failed,
    cancelled,
    timed_out
};
BOOST_DESCRIBE_ENUM(RunStatus, queued, scheduled_retry, running, succeeded, interrupted, failed,
                    cancelled, timed_out)

constexpr bool is_terminal(RunStatus status) {
    return status != RunStatus::queued && status != RunStatus::scheduled_retry &&
           status != RunStatus::running;
}

enum class WakeSource { timer, assignment, on_demand, automation };
BOOST_DESCRIBE_ENUM(WakeSource, timer, assignment, on_demand, automation)

enum class TriggerDetail { manual, ping, callback, system };
BOOST_DESCRIBE_ENUM(TriggerDetail, manual, ping, callback, system)

/// One run of an agent: what it was started for and what came of it.
struct RunCore {
    Id id;
    Id company_id;
    Id agent_id;
    WakeSource invocation_source = WakeSource::on_demand;
    std::optional<TriggerDetail> trigger_detail;
    RunStatus status = RunStatus::queued;
    std::optional<std::string> responsible_user_id;
    std::optional<Time> started_at;
    std::optional<Time> finished_at;
    std::optional<std::string> error;
    std::optional<std::string> error_code;
    std::optional<Id> wakeup_request_id;
    std::optional<std::int64_t> exit_code;
    std::optional<std::string> signal;
    std::optional<Json> usage_json;
    std::optional<Json> result_json;
    std::optional<std::string> session_id_before;
    std::optional<std::string> session_id_after;
    std::optional<std::string> log_store;
    std::optional<std::string> log_ref;
    std::optional<std::int64_t> log_bytes;
    std::optional<std::string> log_sha256;
    bool log_compressed = false;
    std::optional<std::string> stdout_excerpt;
    std::optional<std::string> stderr_excerpt;
    std::optional<std::string> external_run_id;
};
BOOST_DESCRIBE_STRUCT(RunCore, (),
                      (id, company_id, agent_id, invocation_source, trigger_detail, status,
                       responsible_user_id, started_at, finished_at, error, error_code,
                       wakeup_request_id, exit_code, signal, usage_json, result_json,
                       session_id_before, session_id_after, log_store, log_ref, log_bytes,
                       log_sha256, log_compressed, stdout_excerpt, stderr_excerpt, external_run_id))

/// How it is getting on.
struct RunProgress {
    std::optional<std::int64_t> process_pid;
    std::optional<std::int64_t> process_group_id;
    std::optional<Time> process_started_at;
    std::optional<Time> last_output_at;
    std::int64_t last_output_seq = 0;
    std::optional<std::string> last_output_stream;
    std::optional<std::int64_t> last_output_bytes;
    std::optional<Id> retry_of_run_id;
    std::int64_t process_loss_retry_count = 0;
    std::optional<Time> scheduled_retry_at;
    std::int64_t scheduled_retry_attempt = 0;
    std::optional<std::string> scheduled_retry_reason;
    std::optional<std::string> liveness_state;
    std::optional<std::string> liveness_reason;
    std::int64_t continuation_attempt = 0;
    std::optional<Time> last_useful_action_at;
    std::optional<std::string> next_action;
    Json context_snapshot;
    Time created_at;
    Time updated_at;
};
BOOST_DESCRIBE_STRUCT(RunProgress, (),
                      (process_pid, process_group_id, process_started_at, last_output_at,
                       last_output_seq, last_output_stream, last_output_bytes, retry_of_run_id,
                       process_loss_retry_count, scheduled_retry_at, scheduled_retry_attempt,
                       scheduled_retry_reason, liveness_state, liveness_reason,
                       continuation_attempt, last_useful_action_at, next_action, context_snapshot,
                       created_at, updated_at))

/// What only the engine needs to know of it.
struct RunInternal {
    std::optional<std::int64_t> process_start_ticks;
    std::optional<std::string> process_boot_id;
    std::optional<std::string> task_key;
    std::optional<Id> issue_id;
    Money reserved;
    std::int64_t reserved_month = 0;
    std::optional<Money> cost_cap;
    Money cost;
    std::int64_t input_tokens = 0;
    std::int64_t cached_input_tokens = 0;
    std::int64_t output_tokens = 0;
};
BOOST_DESCRIBE_STRUCT(RunInternal, (),
                      (process_start_ticks, process_boot_id, task_key, issue_id, reserved,
                       reserved_month, cost_cap, cost, input_tokens, cached_input_tokens,
                       output_tokens))

struct Run : RunCore, RunProgress, RunInternal {};
BOOST_DESCRIBE_STRUCT(Run, (RunCore, RunProgress, RunInternal), ())

struct RunEvent {
    std::int64_t id = 0;
    Id company_id;
    Id run_id;
    Id agent_id;
    std::int64_t seq = 0;
    std::string event_type;
    std::optional<std::string> stream;
    std::optional<std::string> level;
    std::optional<std::string> color;
    std::optional<std::string> message;
    std::optional<Json> payload;
    Time created_at;
};
BOOST_DESCRIBE_STRUCT(RunEvent, (),
                      (id, company_id, run_id, agent_id, seq, event_type, stream, level, color,
                       message, payload, created_at))

}  // namespace paperclip::runs

template <>
struct paperclip::Rules<paperclip::runs::RunCore> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"log_compressed", {.column = "0"}},
    });
};
template <>
struct paperclip::Rules<paperclip::runs::RunProgress> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"continuation_attempt", {.column = "0"}},
    });
};
template <>
struct paperclip::Rules<paperclip::runs::RunInternal> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"process_start_ticks", {.sent = false}},
        {"process_boot_id", {.sent = false}},
        {"task_key", {.sent = false}},
        {"issue_id", {.sent = false}},
        {"reserved", {.sent = false}},
        {"reserved_month", {.sent = false}},
        {"cost_cap", {.sent = false}},
        {"cost", {.sent = false}},
        {"input_tokens", {.sent = false}},
        {"cached_input_tokens", {.sent = false}},
        {"output_tokens", {.sent = false}},
    });
};
