#pragma once

#include "engine/agents/agents.hpp"
#include "engine/runs/run.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::runs {

struct RunOutcome;

struct RuntimeState {
    Id agent_id;
    Id company_id;
    std::string adapter_type;
    std::optional<std::string> session_id;
    std::optional<std::string> session_display_id;
    std::optional<Json> session_params_json;
    Json state_json;
    std::optional<Id> last_run_id;
    std::optional<std::string> last_run_status;
    std::int64_t total_input_tokens = 0;
    std::int64_t total_output_tokens = 0;
    std::int64_t total_cached_input_tokens = 0;
    Money total_cost;
    std::optional<std::string> last_error;
    Time created_at;
    Time updated_at;
};
BOOST_DESCRIBE_STRUCT(RuntimeState, (),
                      (agent_id, company_id, adapter_type, session_id, session_display_id,
                       session_params_json, state_json, last_run_id, last_run_status,
                       total_input_tokens, total_output_tokens, total_cached_input_tokens,
                       total_cost, last_error, created_at, updated_at))

struct TaskSession {
    Id id;
    Id company_id;
    Id agent_id;
    std::string adapter_type;
    std::string task_key;
    std::optional<Json> session_params_json;
    std::optional<std::string> session_display_id;
    std::optional<Id> last_run_id;
    std::optional<std::string> last_error;
    Time created_at;
    Time updated_at;
};
BOOST_DESCRIBE_STRUCT(TaskSession, (),
                      (id, company_id, agent_id, adapter_type, task_key, session_params_json,
                       session_display_id, last_run_id, last_error, created_at, updated_at))

/// The sessions of the agents' tools: one for each agent, adapter type and task, so that a tool
/// goes on where it was when it last worked on that task. Thread-safe.
class TaskSessions {
 public:
    explicit TaskSessions(Core core) : core_(core) {}

    /// The session of the agent's tool for that task, as its last good run left it; or empty.
    std::string stored(const agents::Agent& agent, const std::string& task_key);
    std::vector<TaskSession> list(const Id& agent);
    RuntimeState runtime_state(const agents::Agent& agent);
    /// Forgets the session of one task, or of all: the next run starts fresh.
    void reset(const Actor& actor, const agents::Agent& agent,
               const std::optional<std::string>& task_key);
    /// Adds the steps that keep, or drop, the session with which `run` ended.
    void add_outcome(storage::Unit& unit, const Run& run, const agents::Agent& agent,
                     const RunOutcome& outcome);

 private:
    Core core_;
};

}  // namespace paperclip::runs

template <>
struct paperclip::Rules<paperclip::runs::RuntimeState> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"session_id", {.column = "null"}},
        {"session_display_id", {.column = "null"}},
        {"session_params_json", {.column = "null"}},
        {"state_json", {.column = "'{}'"}},
        {"total_cost", {.wire = "totalCostCents"}},
    });
};
