#pragma once

#include "engine/base/clock.hpp"

#include <bitset>
#include <date/tz.h>
#include <optional>
#include <string>
#include <string_view>

namespace paperclip::agents {

/// A cron expression of five fields: minute, hour, day of month, month, day of week. Lists, ranges,
/// steps, English names (JAN, MON) and 7 for Sunday are understood; when both days are restricted a
/// day matches either, as in Vixie cron.
///
/// Daylight saving: a local time that is skipped fires when the clocks have jumped; one that comes
/// twice fires the first time. An expression for every hour ("*/15 * * * *") means real time and
/// just goes on through both.
class Cron {
 public:
    /// Throws Error{invalid} that names the field and what was expected.
    static Cron parse(std::string_view text);

    /// The first time after `after` that matches in `zone`; nothing when there is none within eight
    /// years (30 February).
    [[nodiscard]] std::optional<Time> next(Time after, const date::time_zone& zone) const;

 private:
    [[nodiscard]] bool matches_day(date::local_days day) const;
    [[nodiscard]] std::optional<Time> next_on(date::local_days day, Time after,
                                              const date::time_zone& zone) const;

    std::bitset<60> minutes_;
    std::bitset<24> hours_;
    std::bitset<32> days_;
    std::bitset<13> months_;
    std::bitset<7> weekdays_;
    bool any_day_ = false;
    bool any_weekday_ = false;
};

}  // namespace paperclip::agents
