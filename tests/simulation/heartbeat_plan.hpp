#pragma once

#include "engine/base/clock.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::simulation {

/// When an agent should wake by itself, said in the simplest way that can be checked minute by
/// minute: the model that the engine's schedule is compared with.
struct HeartbeatPlan {
    int interval_minutes = 0;  ///< from the agent's creation; 0: by the hours below
    std::vector<int> hours;    ///< of each day, at `minute`
    int minute = 0;
    bool weekdays_only = false;
    int quiet_from = 0;  ///< hours of the day; equal: no quiet hours
    int quiet_to = 0;
    std::string zone = "UTC";
    int zone_offset_hours = 0;  ///< of `zone`, all through the simulated month
    bool catch_up = false;

    /// As an agent's `runtimeConfig`.
    [[nodiscard]] std::string runtime_config(int max_concurrent_runs) const;
    /// Every wake after `from` up to `to`, of an agent that was created at `created`.
    [[nodiscard]] std::vector<Time> between(Time created, Time from, Time to) const;

    /// A plan for the agent of that number: the kinds take turns.
    static HeartbeatPlan of(int number);

 private:
    [[nodiscard]] bool on_grid(Time time, Time created) const;
    [[nodiscard]] bool is_quiet(Time time) const;
};

}  // namespace paperclip::simulation
