#include "engine/runs/run_views.hpp"

#include "engine/base/utf8.hpp"

#include <boost/json.hpp>

namespace paperclip::runs {

using storage::operator""_sql;

namespace {

std::optional<OutputSilence> silence_of(const Run& run, Time now) {
    if (run.status != RunStatus::running) return std::nullopt;
    OutputSilence silence;
    silence.last_output_at = run.last_output_at;
    silence.last_output_seq = run.last_output_seq;
    silence.last_output_stream = run.last_output_stream;
    silence.silence_started_at = run.last_output_at ? run.last_output_at : run.started_at;
    const Duration age = now - silence.silence_started_at.value_or(now);
    silence.silence_age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
    if (silence.silence_age_ms >= silence.suspicion_threshold_ms) {
        silence.level = SilenceLevel::suspicious;
    }
    if (silence.silence_age_ms >= silence.critical_threshold_ms) {
        silence.level = SilenceLevel::critical;
    }
    return silence;
}

/// The result without what the run printed: that is in its log.
std::optional<Json> without_output(const std::optional<Json>& result) {
    if (!result) return std::nullopt;
    auto value = result->parse();
    if (!value.is_object()) return result;
    value.get_object().erase("stdout");
    value.get_object().erase("stderr");
    return Json::from(value);
}

IssueRun issue_run(const Run& run, std::string adapter_type) {
    const WakeContext context = from_snapshot(run.context_snapshot);
    IssueRun r;
    r.run_id = run.id;
    r.status = run.status;
    r.agent_id = run.agent_id;
    r.adapter_type = std::move(adapter_type);
    r.started_at = run.started_at;
    r.finished_at = run.finished_at;
    r.created_at = run.created_at;
    r.invocation_source = run.invocation_source;
    r.responsible_user_id = run.responsible_user_id;
    r.error = run.error;
    r.error_code = run.error_code;
    r.usage_json = run.usage_json;
    r.result_json = without_output(run.result_json);
    r.log_bytes = run.log_bytes;
    r.retry_of_run_id = run.retry_of_run_id;
    r.scheduled_retry_at = run.scheduled_retry_at;
    r.scheduled_retry_attempt = run.scheduled_retry_attempt;
    r.scheduled_retry_reason = run.scheduled_retry_reason;
    r.liveness_state = run.liveness_state;
    r.liveness_reason = run.liveness_reason;
    r.continuation_attempt = run.continuation_attempt;
    r.last_useful_action_at = run.last_useful_action_at;
    r.next_action = run.next_action;
    r.wake_comment_ids = context.wake_comment_ids;
    r.wake_comment_id = context.wake_comment_id;
    r.context_comment_id = context.comment_id;
    r.context_issue_id = context.issue_id;
    return r;
}

}  // namespace

std::string log_event(const Run& run, std::string_view line) {
    constexpr std::size_t k_max_chunk = 8 << 10;
    const auto parsed = parse_json(line);
    const auto& entry = parsed.as_object();
    const std::string_view chunk = entry.at("chunk").as_string();
    std::string payload;
    JsonWriter out(payload);
    out.begin_object().member("runId", run.id.view()).member("agentId", run.agent_id.view());
    out.key("issueId");
    run.issue_id ? out.value(run.issue_id->view()) : out.null();
    out.member("ts", std::string_view(entry.at("ts").as_string()))
        .member("seq", entry.at("seq").as_int64())
        .member("stream", std::string_view(entry.at("stream").as_string()))
        .member("chunk", utf8_suffix(chunk, k_max_chunk))
        .member("truncated", chunk.size() > k_max_chunk)
        .end_object();
    return payload;
}

RunView RunViews::view(Run run) const {
    if (const auto progress = engine_.progress(run.id)) {
        run.last_output_at = progress->last_output_at;
        run.last_output_seq = progress->lines;
        run.last_output_bytes = progress->bytes;
        if (progress->last_output_at) run.last_output_stream = progress->last_output_stream;
    }
    RunView view;
    view.output_silence = silence_of(run, core_.clock.now());
    static_cast<Run&>(view) = std::move(run);
    return view;
}

std::vector<RunView> RunViews::view(std::vector<Run> runs) const {
    std::vector<RunView> views;
    views.reserve(runs.size());
    for (Run& run : runs) views.push_back(view(std::move(run)));
    return views;
}

LiveRun RunViews::live(const Run& run, std::string agent_name, std::string adapter_type) const {
    const RunView v = view(run);
    const WakeContext context = from_snapshot(v.context_snapshot);
    LiveRun live;
    live.id = v.id;
    live.company_id = v.company_id;
    live.status = v.status;
    live.invocation_source = v.invocation_source;
    live.trigger_detail = v.trigger_detail;
    live.context_comment_id = context.comment_id;
    live.context_wake_comment_id = context.wake_comment_id;
    live.started_at = v.started_at;
    live.finished_at = v.finished_at;
    live.created_at = v.created_at;
    live.agent_id = v.agent_id;
    live.agent_name = std::move(agent_name);
    live.adapter_type = std::move(adapter_type);
    live.log_bytes = v.log_bytes;
    live.liveness_state = v.liveness_state;
    live.liveness_reason = v.liveness_reason;
    live.continuation_attempt = v.continuation_attempt;
    live.last_useful_action_at = v.last_useful_action_at;
    live.next_action = v.next_action;
    live.last_output_at = v.last_output_at;
    live.last_output_seq = v.last_output_seq;
    live.last_output_stream = v.last_output_stream;
    live.last_output_bytes = v.last_output_bytes;
    live.process_started_at = v.process_started_at;
    live.issue_id = v.issue_id;
    live.output_silence = v.output_silence;
    return live;
}

std::vector<LiveRun> RunViews::live(const Id& company, std::int64_t min_count,
                                    std::int64_t limit) const {
    std::vector<LiveRun> list;
    core_.store.each(
        "run.with_agent"_sql, {{"company_id", company}, {"min_count", min_count}, {"limit", limit}},
        [&](storage::Row row) {
            list.push_back(live(storage::row_as<Run>(row.subspan(2)), std::string(row[0].as_text()),
                                std::string(row[1].as_text())));
        });
    return list;
}

std::vector<LiveRun> RunViews::live_of_issue(const Id& issue) const {
    std::vector<LiveRun> list;
    core_.store.each("run.with_agent_of_issue"_sql, {{"issue_id", issue}}, [&](storage::Row row) {
        list.push_back(live(storage::row_as<Run>(row.subspan(2)), std::string(row[0].as_text()),
                            std::string(row[1].as_text())));
    });
    return list;
}

std::vector<IssueRun> RunViews::of_issue(const Id& issue) const {
    std::vector<IssueRun> list;
    core_.store.each("run.of_issue"_sql, {{"issue_id", issue}}, [&](storage::Row row) {
        list.push_back(
            issue_run(storage::row_as<Run>(row.subspan(1)), std::string(row[0].as_text())));
    });
    return list;
}

}  // namespace paperclip::runs
