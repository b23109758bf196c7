#pragma once

#include "engine/base/described.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::agents {

/// `runtimeConfig.heartbeat`: when an agent wakes by itself. Names and defaults are those of the
/// API's clients; what they do not know of (from `cron` on) has defaults that change nothing.
struct HeartbeatPolicy {
    bool enabled = false;
    std::int64_t interval_sec = 0;
    bool wake_on_demand = true;  ///< the gate for every wake but the timer's
    std::int64_t max_concurrent_runs = 20;
    std::optional<bool> skip_timer_when_no_actionable_work;
    std::optional<std::string> cron;             ///< five fields; instead of interval_sec
    std::optional<std::string> timezone;         ///< IANA; the company's if absent
    std::int64_t jitter_sec = 0;                 ///< each wake is late by up to that
    std::optional<std::string> quiet_hours;      ///< "22:00-07:00", in `timezone`
    bool run_when_idle = false;                  ///< timer wakes start a run with nothing to do
    std::optional<std::string> catch_up_policy;  ///< skip_missed (default) or run_once
    std::vector<std::string> check;              ///< argv that says for free whether there is news

    /// Does a timer wake start a run although there is nothing to do?
    [[nodiscard]] bool runs_when_idle() const {
        return run_when_idle || skip_timer_when_no_actionable_work == false;
    }
};
BOOST_DESCRIBE_STRUCT(HeartbeatPolicy, (),
                      (enabled, interval_sec, wake_on_demand, max_concurrent_runs,
                       skip_timer_when_no_actionable_work, cron, timezone, jitter_sec, quiet_hours,
                       run_when_idle, catch_up_policy, check))

/// `runtimeConfig.limits`: what bounds one run; 0 is no limit.
struct RunLimits {
    std::int64_t timeout_sec = 0;         ///< wall time
    std::int64_t output_timeout_sec = 0;  ///< silence
    std::int64_t grace_sec = 0;           ///< between TERM and KILL; 0: the adapter's own
    std::int64_t max_issues_per_run = 0;
};
BOOST_DESCRIBE_STRUCT(RunLimits, (),
                      (timeout_sec, output_timeout_sec, grace_sec, max_issues_per_run))

struct RuntimeConfig {
    HeartbeatPolicy heartbeat;
    RunLimits limits;
};
BOOST_DESCRIBE_STRUCT(RuntimeConfig, (), (heartbeat, limits))

/// Reads an agent's runtimeConfig; aliases of the API's clients are understood, what is missing has
/// its default. Throws Error{invalid} naming what is wrong.
RuntimeConfig parse_runtime_config(const Json& json);

/// `json` with the defaults that the API shows (`heartbeat.enabled`,
/// `heartbeat.maxConcurrentRuns`).
Json with_runtime_defaults(const Json& json);

}  // namespace paperclip::agents

template <>
struct paperclip::Rules<paperclip::agents::HeartbeatPolicy> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"interval_sec", {.min = 0, .max = 31'536'000}},
        {"jitter_sec", {.min = 0, .max = 86'400}},
        {"check", {.max = 100}},
    });
};
template <>
struct paperclip::Rules<paperclip::agents::RunLimits> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"timeout_sec", {.min = 0, .max = 31'536'000}},
        {"output_timeout_sec", {.min = 0, .max = 31'536'000}},
        {"grace_sec", {.min = 0, .max = 3'600}},
        {"max_issues_per_run", {.min = 0, .max = 100'000}},
    });
};
