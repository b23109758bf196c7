#pragma once

#include "engine/agents/agents.hpp"
#include "engine/governance/budgets.hpp"
#include "engine/pluginhost/agent_plugin.hpp"
#include "engine/pluginhost/children.hpp"
#include "engine/runs/run.hpp"
#include "engine/runs/task_sessions.hpp"
#include "engine/runs/wakeup.hpp"
#include "engine/work/issues.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::storage {
const SqlModule& runs_sql();
}

namespace paperclip::runs {

/// How a run ended, as its session found out.
struct RunOutcome {
    RunStatus status = RunStatus::succeeded;
    int error_class = PC_CLASS_OK;
    std::optional<std::string> error;
    std::optional<std::string> error_code;
    std::optional<std::int64_t> exit_code;
    std::optional<std::string> signal;
    std::string summary;
    std::optional<Json> result_json;
    pluginhost::UsageAction usage;  ///< totals
    std::optional<pluginhost::SessionAction> session;
    bool clear_session = false;
    std::optional<Time> retry_at;
    std::optional<std::int64_t> log_bytes;
    std::optional<std::string> log_sha256;
    std::optional<std::string> stdout_excerpt;
    std::optional<std::string> stderr_excerpt;
    std::optional<Time> last_output_at;
    std::int64_t last_output_seq = 0;
    std::optional<std::string> last_output_stream;
    std::int64_t last_output_bytes = 0;
};

/// What finishing a run led to, for whoever has to act on it.
struct Finished {
    Run run;
    std::optional<Run> retry;  ///< queued or scheduled in the same unit
};

/// The life of runs in the store: every change of state is one unit here, guarded by the state
/// before it, so that it happens once whoever tries and whenever somebody dies. Knows nothing of
/// processes. Thread-safe.
class Runs {
 public:
    Runs(Core core, agents::Agents& agents, work::Issues& issues, governance::Budgets& budgets)
        : core_(core), agents_(agents), issues_(issues), budgets_(budgets), sessions_(core) {}

    Run get(const Id& id);
    std::optional<Run> find(const Id& id);
    struct Filter {
        std::optional<Id> agent_id;
        std::optional<Id> issue_id;
        std::int64_t limit = 200;
    };
    std::vector<Run> list(const Id& company, const Filter& filter);
    std::vector<Run> in_status(RunStatus status);
    std::vector<Run> open_of_agent(const Id& agent);
    /// The run of its task that the wake has nothing to add to, or that it becomes one with.
    std::optional<Run> joined_by(const Wake& wake);
    std::optional<Run> last_ended_of_agent(const Id& agent);
    std::vector<Run> open_of_issue(const Id& issue);
    std::vector<Id> agents_with_queued();
    std::vector<RunEvent> events(const Id& run, std::int64_t after, std::int64_t limit);
    /// What became of a wish, as its row says.
    struct WishState {
        Id id;
        std::string_view status;
        std::optional<std::string> skip_reason = {};
        std::optional<Id> run_id = {};
    };
    void add_wish(storage::Unit& unit, const Wake& wake, const agents::Agent& agent,
                  const WishState& state);
    /// queued: adds the steps that queue a run for `wake`.
    Run add_queue(storage::Unit& unit, const Wake& wake, const agents::Agent& agent);

    /// What claim() says of the agent's next run.
    enum class Claim {
        none,     ///< nothing is queued
        claimed,  ///< `run` is running now
        full,     ///< the agent, its company or its state allows no further run
        again,    ///< the next run was taken or ended meanwhile, or ended now
    };
    /// queued → running, with the reservation and the lease.
    Claim claim(const agents::Agent& agent, std::optional<Run>& run);

    /// Stores what process the run has; false when the run was ended meanwhile.
    bool store_process(const Run& run, const pluginhost::ProcessIdentity& process,
                       const std::string& invocation);
    /// running → queued, for a run that has certainly never begun.
    bool requeue(const Run& run);
    /// running → an end, with the settlement, the lease, a retry where one is due. Nothing when the
    /// run had ended already.
    std::optional<Finished> finish(const Run& run, const RunOutcome& outcome);
    /// More money for a run that goes on. False: the budget has no room.
    bool extend(Run& run, Money more);

    std::optional<Run> cancel_waiting(const Id& run, const Actor& actor, std::string_view code,
                                      const std::string& error);
    /// Adds the steps that cancel whatever waits of the agent; the last returns each such run's
    /// issue, empty for none.
    storage::Unit::Added add_cancel_waiting(storage::Unit& unit, const Id& agent,
                                            std::string_view code, const std::string& error);
    std::optional<Run> promote_retry(const Id& run);

    [[nodiscard]] TaskSessions& sessions() { return sessions_; }
    [[nodiscard]] Core& core() { return core_; }

 private:
    bool cancel_if_stale(const Run& run);
    void add_event(storage::Unit& unit, const Run& run, std::string_view type,
                   std::string_view level, std::string_view message,
                   const std::optional<std::string>& payload = {});
    void announce(storage::Unit& unit, const Run& run);
    void announce_agent(storage::Unit& unit, const Run& run, std::string_view status);
    std::optional<Run> add_retry(storage::Unit& unit, const Run& run, const RunOutcome& outcome);
    void add_summary_comment(storage::Unit& unit, const Run& run, const RunOutcome& outcome);

    Core core_;
    agents::Agents& agents_;
    work::Issues& issues_;
    governance::Budgets& budgets_;
    TaskSessions sessions_;
};

/// The key of the task that a wake is about: what a session belongs to.
std::optional<std::string> task_key_of(const Wake& wake);

}  // namespace paperclip::runs
