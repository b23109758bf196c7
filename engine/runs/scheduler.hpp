#pragma once

#include "engine/agents/schedule.hpp"
#include "engine/runs/session.hpp"
#include "engine/runs/wakeups.hpp"

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace paperclip::runs {

/// Wakes agents by the clock: one entry of the timer queue for each agent that has a heartbeat. A
/// heartbeat that finds nothing to do starts nothing and writes nothing; it is counted here.
/// Thread-safe; lives as long as the engine.
class Scheduler {
 public:
    Scheduler(Core core, SessionWorld& world, Wakeups& wakeups, work::Issues& issues);

    /// Enters every agent that is scheduled.
    void start();
    /// Looks at the agent again: it was created, changed, paused, resumed.
    void refresh(const Id& agent);
    /// The same for all agents of a company.
    void refresh_company(const Id& company);
    void stop();

    struct Skip {
        Time at;
        std::string_view reason;  ///< constant text
    };
    struct Skips {
        std::int64_t count = 0;  ///< since the engine started
        std::deque<Skip> last;   ///< at most k_kept_skips, oldest first
    };
    [[nodiscard]] Skips skips(const Id& agent) const;
    /// When the agent's next heartbeat is due.
    [[nodiscard]] std::optional<Time> next_due(const Id& agent) const;

    static constexpr std::size_t k_kept_skips = 20;

 private:
    struct Row;
    struct Check;
    /// Sets the timer of the next heartbeat; returns the policy, or nothing when there is none.
    std::optional<agents::HeartbeatPolicy> enter(const Row& row, Time after);
    void set_timer(const Id& agent, Time due);  // with the mutex held
    void leave(const Id& agent);
    void fire(const Id& agent);
    void beat_or_retry(const Id& agent);
    void beat(const Id& agent);
    void wake(const Id& agent, std::optional<std::string> check_output);
    void run_check(const Row& row, const agents::HeartbeatPolicy& policy, bool wanted_anyway);
    void start_check(const std::shared_ptr<Check>& check, const Row& row,
                     const agents::HeartbeatPolicy& policy);
    void finish_check(const std::shared_ptr<Check>& check);
    void end_check(const Check& check);
    void skip(const Id& agent, std::string_view reason);

    Core core_;
    SessionWorld& world_;
    Wakeups& wakeups_;
    work::Issues& issues_;
    mutable std::mutex mutex_;
    std::unordered_map<Id, TimerQueue::Handle> due_;
    std::unordered_map<Id, Time> fired_;  // when each had its last heartbeat
    std::unordered_map<Id, Skips> skips_;
    std::unordered_set<Id> checking_;  // whose check command is at work
    bool stopped_ = false;
};

}  // namespace paperclip::runs
