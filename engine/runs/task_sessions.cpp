#include "engine/runs/task_sessions.hpp"

#include "engine/runs/runs.hpp"

namespace paperclip::runs {

using storage::operator""_sql;

std::string TaskSessions::stored(const agents::Agent& agent, const std::string& task_key) {
    return core_.store
        .text(
            "session.find"_sql,
            {{"agent_id", agent.id}, {"adapter_type", agent.adapter_type}, {"task_key", task_key}})
        .value_or("");
}

RuntimeState TaskSessions::runtime_state(const agents::Agent& agent) {
    auto state =
        core_.store.one<RuntimeState>("runtime_state.by_agent"_sql, {{"agent_id", agent.id}});
    if (!state) {
        state.emplace();
        state->agent_id = agent.id;
        state->company_id = agent.company_id;
        state->adapter_type = agent.adapter_type;
        state->created_at = state->updated_at = core_.clock.now();
    }
    const auto sessions = list(agent.id);
    if (!sessions.empty()) {
        state->session_id = state->session_display_id = sessions.front().session_display_id;
        state->session_params_json = sessions.front().session_params_json;
    }
    return *state;
}

std::vector<TaskSession> TaskSessions::list(const Id& agent) {
    return core_.store.all<TaskSession>("session.of_agent"_sql, {{"agent_id", agent}});
}

void TaskSessions::reset(const Actor& actor, const agents::Agent& agent,
                         const std::optional<std::string>& task_key) {
    storage::Unit unit = core_.store.unit();
    if (task_key) {
        unit.add("session.drop_of_task"_sql, {{"agent_id", agent.id}, {"task_key", *task_key}})
            .any();
    } else {
        unit.add("session.drop_all"_sql, {{"agent_id", agent.id}}).any();
    }
    std::string details;
    JsonWriter w(details);
    w.begin_object().key("taskKey");
    task_key ? w.value(*task_key) : w.null();
    w.end_object();
    core_.journal.activity(
        unit, actor,
        {agent.company_id, "agent.runtime_session_reset", "agent", agent.id.str(), details});
    core_.store.submit(unit);
}

void TaskSessions::add_outcome(storage::Unit& unit, const Run& run, const agents::Agent& agent,
                               const RunOutcome& outcome) {
    if (!run.task_key) return;
    if (outcome.clear_session) {
        unit.add("session.drop"_sql, {{"agent_id", run.agent_id},
                                      {"adapter_type", agent.adapter_type},
                                      {"task_key", *run.task_key}})
            .any();
    } else if (outcome.session && outcome.status == RunStatus::succeeded) {
        // Only what a successful run ended with is worth resuming.
        unit.add("session.save"_sql, {{"id", core_.ids.next()},
                                      {"company_id", run.company_id},
                                      {"agent_id", run.agent_id},
                                      {"adapter_type", agent.adapter_type},
                                      {"task_key", *run.task_key},
                                      {"params", outcome.session->json},
                                      {"display_id", outcome.session->display_id},
                                      {"run_id", run.id},
                                      {"now", core_.clock.now()}});
    }
}

}  // namespace paperclip::runs
