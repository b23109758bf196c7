#include "tests/simulation/heartbeat_plan.hpp"

#include "engine/base/json.hpp"

#include <algorithm>

namespace paperclip::simulation {
namespace {

constexpr std::chrono::minutes k_minute{1};

/// Minutes since midnight, and the day of the week (0: Sunday), in a zone.
std::pair<int, int> clock_of(Time time, int offset_hours) {
    const auto local = time + std::chrono::hours(offset_hours);
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(local - day);
    const std::chrono::weekday weekday{day};
    return {static_cast<int>(minutes.count()), static_cast<int>(weekday.c_encoding())};
}

std::string two(int number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
}

}  // namespace

std::string HeartbeatPlan::runtime_config(int max_concurrent_runs) const {
    std::string out;
    JsonWriter w(out);
    w.begin_object().key("heartbeat").begin_object().member("enabled", true);
    w.member("maxConcurrentRuns", max_concurrent_runs).member("timezone", zone);
    if (interval_minutes > 0) {
        w.member("intervalSec", interval_minutes * 60);
    } else {
        std::string list;
        for (const int hour : hours) list += (list.empty() ? "" : ",") + std::to_string(hour);
        w.member("cron",
                 std::to_string(minute) + " " + list + " * * " + (weekdays_only ? "1-5" : "*"));
    }
    if (quiet_from != quiet_to) {
        w.member("quietHours", two(quiet_from) + ":00-" + two(quiet_to) + ":00");
    }
    if (catch_up) w.member("catchUpPolicy", "run_once");
    w.end_object().end_object();
    return out;
}

bool HeartbeatPlan::on_grid(Time time, Time created) const {
    if (interval_minutes > 0) {
        return time > created && (time - created) % (interval_minutes * k_minute) == Duration(0);
    }
    const auto [minutes, weekday] = clock_of(time, zone_offset_hours);
    if (weekdays_only && (weekday == 0 || weekday == 6)) return false;
    return minutes % 60 == minute &&
           std::find(hours.begin(), hours.end(), minutes / 60) != hours.end();
}

bool HeartbeatPlan::is_quiet(Time time) const {
    const int hour = clock_of(time, zone_offset_hours).first / 60;
    if (quiet_from <= quiet_to) return hour >= quiet_from && hour < quiet_to;
    return hour >= quiet_from || hour < quiet_to;
}

std::vector<Time> HeartbeatPlan::between(Time created, Time from, Time to) const {
    std::vector<Time> times;
    bool held_back = false;
    // A day before, so that what a quiet night held back is known in the morning.
    const Time first = std::chrono::floor<std::chrono::minutes>(from) - std::chrono::hours(24);
    for (Time time = first; time <= to; time += k_minute) {
        const bool due = on_grid(time, created);
        if (is_quiet(time)) {
            held_back = held_back || due;
            continue;
        }
        if ((due || held_back) && time > from) times.push_back(time);
        held_back = false;
    }
    return times;
}

HeartbeatPlan HeartbeatPlan::of(int number) {
    HeartbeatPlan plan;
    switch (number % 6) {
        case 0:
            plan.interval_minutes = 60 * (2 + number % 5);
            break;
        case 1:
            plan.hours = {9, 15};
            plan.weekdays_only = true;
            break;
        case 2:
            plan.hours = {2, 10, 18};
            plan.minute = number % 60;
            plan.zone = "America/New_York";
            plan.zone_offset_hours = -5;
            break;
        case 3:
            plan.interval_minutes = 150;
            plan.quiet_from = 22;
            plan.quiet_to = 7;
            break;
        case 4:
            plan.interval_minutes = 185;
            plan.quiet_from = 12;
            plan.quiet_to = 14;
            plan.zone = "Europe/Berlin";
            plan.zone_offset_hours = 1;
            break;
        default:
            plan.interval_minutes = 240 + number;
            plan.catch_up = true;
            break;
    }
    return plan;
}

}  // namespace paperclip::simulation
