#pragma once

#include "engine/agents/cron.hpp"
#include "engine/agents/heartbeat_policy.hpp"
#include "engine/base/id.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace paperclip::agents {

/// Hours in which nobody wakes by a timer: "22:00-07:00" in a time zone. What falls into them comes
/// when they end.
class QuietHours {
 public:
    /// Throws Error{invalid}.
    static QuietHours parse(std::string_view text);
    /// `time`, or the end of the quiet hours that it falls into.
    [[nodiscard]] Time shift(Time time, const date::time_zone& zone) const;
    [[nodiscard]] Duration length() const {
        return to_ > from_ ? to_ - from_ : to_ - from_ + std::chrono::hours(24);
    }

 private:
    std::chrono::minutes from_{0};
    std::chrono::minutes to_{0};
};

/// When an agent's heartbeat is due: a pure function of its policy and the time, so that nothing
/// about it needs to be stored and a restart changes nothing.
class Schedule {
 public:
    /// Throws Error{invalid} naming what is wrong with the policy.
    Schedule(const HeartbeatPolicy& policy, const Id& agent, Time created_at,
             const std::string& company_zone);

    /// Does the timer ever fire?
    [[nodiscard]] bool is_on() const { return on_; }
    /// The first heartbeat after `after`. Intervals count from the agent's creation.
    [[nodiscard]] std::optional<Time> next(Time after) const;
    /// Was there a heartbeat after `seen` that `now` should make up for, by the catch-up policy?
    [[nodiscard]] bool missed(Time seen, Time now) const;

 private:
    [[nodiscard]] std::optional<Time> next_on_grid(Time after) const;

    bool on_ = false;
    bool catch_up_ = false;
    Id agent_;
    Time created_at_;
    Duration interval_{0};
    Duration jitter_{0};
    std::optional<Cron> cron_;
    std::optional<QuietHours> quiet_;
    const date::time_zone* zone_ = nullptr;
};

}  // namespace paperclip::agents
