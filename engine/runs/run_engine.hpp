#pragma once

#include "engine/access/gate.hpp"
#include "engine/runs/session.hpp"
#include "engine/runs/wakeups.hpp"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace paperclip::runs {

/// Starts queued runs where there is room, keeps the live ones, and goes on with those of an
/// earlier engine. Thread-safe; lives as long as the engine.
class RunEngine {
 public:
    struct Options {
        std::size_t max_live_runs = 64;  ///< of all companies together
    };
    RunEngine(SessionWorld& world, Wakeups& wakeups, Options options);

    /// Goes on with the runs of an earlier engine, and queues again those that had not begun.
    /// Before anything else is started.
    void recover();
    /// Starts queued runs of the agent as long as there is room. Returns at once.
    void dispatch(const Id& agent);

    /// Ends a run; returns it as it is then. Waits up to a few seconds for the end.
    Run cancel(const Id& run, const Actor& actor);
    /// Adds the steps that cancel whatever waits of the agent; when the unit has succeeded, its
    /// live runs are stopped, and whoever waited behind it has a turn, both soon.
    void add_halt(storage::Unit& unit, const Id& agent, std::string_view code,
                  const std::string& message);

    /// No new runs from now on; the live ones are left to their shims, or awaited when `drain`.
    void shut_down(bool drain);

    struct LiveProcess {
        Id run_id;
        pluginhost::ProcessIdentity process;
    };
    /// The shims of all live runs.
    [[nodiscard]] std::vector<LiveProcess> live_processes() const;
    [[nodiscard]] std::size_t live_count() const;
    /// Of a live run; nothing for others.
    [[nodiscard]] std::optional<OutputProgress> progress(const Id& run) const;

 private:
    void sweep(const std::vector<Run>& begun);
    void work(const Id& agent);
    bool start_next(const Id& agent);
    void begin(const Run& run, bool recovered);
    void on_finished(const Id& run, const Finished& finished);
    void after(const Finished& finished);
    void add_cancel_waiting(storage::Unit& unit, const Id& agent, std::string_view code,
                            const std::string& message);
    void pass_on(const Id& issue);
    void insist(std::function<void()> work);
    void schedule_retry(const Run& run);

    SessionWorld& world_;
    Wakeups& wakeups_;
    Options options_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<Id, std::shared_ptr<Session>> sessions_;  // by run
    std::set<Id> dispatching_;                         // agents that a worker is at
    std::set<Id> again_;                               // those that want another look
    std::set<Id> waiting_;                             // those that found no room
    std::uint64_t ended_ = 0;                          // how many runs have made room
    bool closing_ = false;
};

}  // namespace paperclip::runs
