#include "engine/agents/schedule.hpp"

#include "engine/base/error.hpp"
#include "engine/base/time_zones.hpp"

#include <algorithm>

namespace paperclip::agents {
namespace {

/// By which quiet hours may be longer than they say: the clocks go back in them.
constexpr std::chrono::hours k_longer_night{2};

/// "07:30" as minutes since midnight.
std::optional<std::chrono::minutes> parse_clock(std::string_view text) {
    const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) {
        return std::nullopt;
    }
    const int hours = (text[0] - '0') * 10 + (text[1] - '0');
    const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
    if (hours > 23 || minutes > 59) return std::nullopt;
    return std::chrono::hours(hours) + std::chrono::minutes(minutes);
}

/// A number from 0 to 2^64-1 that belongs to this agent and this moment: jitter that a restart
/// repeats.
std::uint64_t hash(const Id& agent, Time time) {
    std::uint64_t h =
        14695981039346656037ull ^ static_cast<std::uint64_t>(time.time_since_epoch().count());
    for (const char c : agent.view()) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdull;
    return h ^ (h >> 33);
}

}  // namespace

QuietHours QuietHours::parse(std::string_view text) {
    const auto from = parse_clock(text.substr(0, 5));
    const auto to =
        text.size() == 11 && text[5] == '-' ? parse_clock(text.substr(6)) : std::nullopt;
    if (!from || !to || *from == *to) {
        throw Error(ErrorKind::invalid,
                    "quietHours: expected HH:MM-HH:MM such as 22:00-07:00, found \"" +
                        std::string(text) + "\"");
    }
    QuietHours quiet;
    quiet.from_ = *from;
    quiet.to_ = *to;
    return quiet;
}

Time QuietHours::shift(Time time, const date::time_zone& zone) const {
    const auto local = zone.to_local(time);
    const auto day = date::floor<date::days>(local);
    const auto clock = local - day;
    const bool over_midnight = from_ > to_;
    const bool quiet =
        over_midnight ? clock >= from_ || clock < to_ : clock >= from_ && clock < to_;
    if (!quiet) return time;
    const auto end_day = over_midnight && clock >= from_ ? day + date::days(1) : day;
    // A skipped end is where the clocks jump to; a doubled one its first coming. When that has
    // been, the hours are over although the clock says again what it said within them.
    return std::max(time, Time{zone.to_sys(end_day + to_, date::choose::earliest)});
}

Schedule::Schedule(const HeartbeatPolicy& policy, const Id& agent, Time created_at,
                   const std::string& company_zone)
    : catch_up_(policy.catch_up_policy == "run_once"),
      agent_(agent),
      created_at_(created_at),
      interval_(std::chrono::seconds(policy.interval_sec)),
      jitter_(std::chrono::seconds(policy.jitter_sec)),
      zone_(&time_zone(policy.timezone.value_or(company_zone))) {
    if (policy.catch_up_policy && policy.catch_up_policy != "run_once" &&
        policy.catch_up_policy != "skip_missed") {
        throw Error(ErrorKind::invalid,
                    "catchUpPolicy: expected skip_missed or run_once, found \"" +
                        *policy.catch_up_policy + "\"");
    }
    if (policy.cron) cron_ = Cron::parse(*policy.cron);
    if (policy.quiet_hours && *policy.quiet_hours != "none") {
        quiet_ = QuietHours::parse(*policy.quiet_hours);
    }
    on_ = policy.enabled && (cron_ || interval_ > Duration::zero());
}

std::optional<Time> Schedule::next_on_grid(Time after) const {
    if (cron_) return cron_->next(after, *zone_);
    const auto elapsed = after - created_at_;
    const auto steps = elapsed < Duration::zero() ? 0 : elapsed / interval_;
    return created_at_ + (steps + 1) * interval_;
}

std::optional<Time> Schedule::next(Time after) const {
    if (!on_) return std::nullopt;
    // Jitter and quiet hours only delay, so the grid point may lie before `after` already.
    Time from = after - jitter_;
    const Time quiet_end = quiet_ ? quiet_->shift(after, *zone_) : after;
    if (quiet_end > after) from = quiet_end - quiet_->length() - k_longer_night - jitter_;
    for (;;) {
        const auto point = next_on_grid(from);
        if (!point) return std::nullopt;
        Time due = *point;
        if (jitter_ > Duration::zero()) {
            due += Duration{static_cast<std::int64_t>(hash(agent_, due) %
                                                      static_cast<std::uint64_t>(jitter_.count()))};
        }
        if (quiet_) due = quiet_->shift(due, *zone_);
        if (due > after) return due;
        from = *point;
    }
}

bool Schedule::missed(Time seen, Time now) const {
    if (!on_ || !catch_up_) return false;
    const auto due = next(seen);
    return due && *due <= now;
}

}  // namespace paperclip::agents
