#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

// Points in time as the ABI has them: microseconds since 1970 UTC.
namespace paperclip::sdk {
namespace detail {

/// Takes a number of exactly `size` digits off the front.
inline std::optional<int> take_digits(std::string_view& text, std::size_t size) noexcept {
    if (text.size() < size) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < size; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(size);
    return value;
}

inline bool take(std::string_view& text, std::string_view expected) noexcept {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(expected.size());
    return true;
}

inline std::optional<std::chrono::sys_days> day_of(std::optional<int> year, int month,
                                                   std::optional<int> day) noexcept {
    if (!year || !day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date);
}

/// "HH:MM:SS", in seconds of the day; a leap second counts as the one before it.
inline std::optional<std::int64_t> take_clock(std::string_view& text) noexcept {
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
    const auto second = take_digits(text, 2);
    if (!second || *second > 60) return std::nullopt;
    return *hour * 3600 + *minute * 60 + (*second == 60 ? 59 : *second);
}

inline std::int64_t micros_at(std::chrono::sys_days day, std::int64_t seconds) noexcept {
    return (std::int64_t{day.time_since_epoch().count()} * 86'400 + seconds) * 1'000'000;
}

}  // namespace detail

/// Reads an RFC 3339 date and time: "2026-11-23T01:48:47.625Z", "…+02:00".
inline std::optional<std::int64_t> parse_time(std::string_view text) noexcept {
    using namespace detail;
    const auto year = take_digits(text, 4);
    if (!take(text, "-")) return std::nullopt;
    const auto month = take_digits(text, 2);
    if (!month || !take(text, "-")) return std::nullopt;
    const auto day = day_of(year, *month, take_digits(text, 2));
    if (!day || (!take(text, "T") && !take(text, "t") && !take(text, " "))) return std::nullopt;
    const auto seconds = take_clock(text);
    if (!seconds) return std::nullopt;
    std::int64_t micros = micros_at(*day, *seconds);
    if (take(text, ".")) {
        std::int64_t unit = 1'000'000;
        if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
        for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1)) {
            unit /= 10;
            micros += (text[0] - '0') * unit;
        }
    }
    if (text == "Z" || text == "z") return micros;
    const std::int64_t sign = take(text, "+") ? -1 : take(text, "-") ? 1 : 0;
    const auto hours = take_digits(text, 2);
    if (sign == 0 || !hours || *hours > 23 || !take(text, ":")) return std::nullopt;
    const auto minutes = take_digits(text, 2);
    if (!minutes || *minutes > 59 || !text.empty()) return std::nullopt;
    return micros + sign * (*hours * 3600 + *minutes * 60) * 1'000'000;
}

/// Reads the value of an HTTP Retry-After header (RFC 9110, 10.2.3): a number of seconds from
/// `now`, or a date such as "Wed, 21 Oct 2026 07:28:00 GMT".
inline std::optional<std::int64_t> parse_retry_after(std::string_view text,
                                                     std::int64_t now_us) noexcept {
    using namespace detail;
    constexpr std::int64_t k_most = 366 * 86'400LL;
    std::int64_t seconds = 0;
    const char* const end = text.data() + text.size();
    if (const auto [at, error] = std::from_chars(text.data(), end, seconds);
        error == std::errc{} && at == end && !text.empty()) {
        if (seconds < 0) return std::nullopt;
        return now_us + (seconds < k_most ? seconds : k_most) * 1'000'000;
    }
    constexpr std::array<std::string_view, 12> k_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto comma = text.find(", ");
    if (comma != 3) return std::nullopt;
    text.remove_prefix(5);
    const auto day = take_digits(text, 2);
    int month = 0;
    if (!take(text, " ")) return std::nullopt;
    for (int i = 0; i < 12 && month == 0; ++i) {
        if (take(text, k_months[static_cast<std::size_t>(i)])) month = i + 1;
    }
    if (month == 0 || !take(text, " ")) return std::nullopt;
    const auto date = day_of(take_digits(text, 4), month, day);
    if (!date || !take(text, " ")) return std::nullopt;
    const auto clock = take_clock(text);
    if (!clock || text != " GMT") return std::nullopt;
    return micros_at(*date, *clock);
}

}  // namespace paperclip::sdk
