#pragma once

#include "engine/base/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace paperclip {

/// Appends `time` as the API writes it: "2026-11-23T01:48:47.625Z" (RFC 3339, milliseconds).
void append_iso8601(std::string& out, Time time);
std::string to_iso8601(Time time);

/// Reads an RFC 3339 date and time with any offset ("…Z", "…+02:00"), or a bare date (midnight
/// UTC). Nothing when `text` is neither or names a day that does not exist.
std::optional<Time> parse_iso8601(std::string_view text) noexcept;

/// Is `text` a day of the calendar as YYYY-MM-DD?
bool is_calendar_date(std::string_view text) noexcept;

/// Reads a length of time with its unit, "90s", "30m", "4h", "2d", "500ms"; units may follow each
/// other ("1h30m"). Nothing for a bare number, a negative or an overflowing value.
std::optional<Duration> parse_duration(std::string_view text) noexcept;

/// The shortest text that parse_duration() reads back: 90 min is "1h30m".
std::string to_text(Duration duration);

}  // namespace paperclip
