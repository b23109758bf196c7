#pragma once

#include "engine/runs/runs.hpp"

#include <array>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace paperclip::runs {

/// Turns wishes into queued runs: decides whether an agent may run now, and lets wishes that mean
/// the same become one run. Thread-safe.
class Wakeups {
 public:
    Wakeups(Core core, Runs& runs, agents::Agents& agents, work::Issues& issues,
            company::Companies& companies)
        : core_(core), runs_(runs), agents_(agents), issues_(issues), companies_(companies) {}

    /// Called with the agent whenever a run of it was queued; before the first request().
    void on_queued(std::function<void(const Id& agent)> dispatch) {
        dispatch_ = std::move(dispatch);
    }

    /// What a person or an agent asks for: throws Error{conflict} when the agent cannot run now.
    WakeOutcome request(const Wake& wake) { return decide(wake, true); }
    /// What the engine itself wishes: says why not instead of throwing.
    WakeOutcome wish(const Wake& wake) { return decide(wake, false); }

    /// The oldest wish that waited for this issue's run to end has its turn, if nobody is at work.
    void promote_deferred(const Id& issue);
    /// Wishes again what was turned away while the company or an agent of it could not run, for
    /// those agents that can now.
    void repeat_turned_away(const Id& company);
    /// After a restart: every issue with a deferred wish and nobody at work.
    void promote_all_deferred();

 private:
    WakeOutcome decide(const Wake& wake, bool asked);
    WakeOutcome try_decide(const Wake& wake, bool asked);
    WakeOutcome for_issue(Wake wake, const agents::Agent& agent, const work::Issue& issue,
                          bool asked);
    std::optional<WakeOutcome> known_wish(const Id& agent, const std::string& key);
    WakeOutcome for_task(const Wake& wake, const agents::Agent& agent);
    WakeOutcome queue(const Wake& wake, const agents::Agent& agent);
    std::optional<Run> merge_into(const Wake& wake, const agents::Agent& agent, const Run& run);
    WakeOutcome defer(const Wake& wake, const agents::Agent& agent, const Run& holder);
    bool turn_away_or_queue(const Id& issue);
    WakeOutcome skip(const Wake& wake, const agents::Agent& agent, std::string reason,
                     std::string message);
    void add_note(storage::Unit& unit, const Wake& wake, const agents::Agent& agent,
                  std::string_view status, const std::optional<std::string>& skip_reason,
                  const std::optional<Id>& run);

    Core core_;
    Runs& runs_;
    agents::Agents& agents_;
    work::Issues& issues_;
    company::Companies& companies_;
    std::function<void(const Id&)> dispatch_ = [](const Id&) {};
    // An agent's wakes have their turns, by its id's hash: what each adds to a run's or a deferred
    // wish's context is read and written. Recursive for the simulation alone, whose threads are
    // one: there a wish may begin in the middle of another.
    std::array<std::recursive_mutex, 64> turns_;
};

}  // namespace paperclip::runs
