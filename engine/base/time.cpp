#include "engine/base/time.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace paperclip {
namespace {

using namespace std::chrono;

void put_digits(char* at, unsigned value, int digits) {
    for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

/// Takes exactly `digits` decimal digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) noexcept {
    if (text.size() < digits) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char c) noexcept {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<sys_days> take_date(std::string_view& text) noexcept {
    const auto y = take_number(text, 4);
    if (!y || !take(text, '-')) return std::nullopt;
    const auto m = take_number(text, 2);
    if (!m || !take(text, '-')) return std::nullopt;
    const auto d = take_number(text, 2);
    if (!d) return std::nullopt;
    const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                              day{static_cast<unsigned>(*d)}};
    if (!date.ok()) return std::nullopt;
    return sys_days{date};
}

std::optional<Duration> take_fraction(std::string_view& text) noexcept {
    if (!take(text, '.')) return Duration{0};
    std::int64_t us = 0;
    int digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
        if (digits++ < 6) us = us * 10 + (text.front() - '0');
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 6; ++digits) us *= 10;
    return Duration{us};
}

std::optional<minutes> take_offset(std::string_view& text) noexcept {
    if (take(text, 'Z') || take(text, 'z')) return minutes{0};
    const int sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
    if (sign == 0) return std::nullopt;
    const auto h = take_number(text, 2);
    take(text, ':');
    const auto m = h ? take_number(text, 2) : std::nullopt;
    if (!m || *h > 23 || *m > 59) return std::nullopt;
    return sign * (hours{*h} + minutes{*m});
}

struct Unit {
    std::string_view name;
    std::int64_t us;
};
constexpr std::array<Unit, 5> k_units{{{"d", 86'400'000'000},
                                       {"h", 3'600'000'000},
                                       {"m", 60'000'000},
                                       {"s", 1'000'000},
                                       {"ms", 1'000}}};

}  // namespace

void append_iso8601(std::string& out, Time time) {
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss<milliseconds> clock{floor<milliseconds>(time - day)};
    char text[] = "0000-00-00T00:00:00.000Z";
    put_digits(text, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put_digits(text + 5, static_cast<unsigned>(date.month()), 2);
    put_digits(text + 8, static_cast<unsigned>(date.day()), 2);
    put_digits(text + 11, static_cast<unsigned>(clock.hours().count()), 2);
    put_digits(text + 14, static_cast<unsigned>(clock.minutes().count()), 2);
    put_digits(text + 17, static_cast<unsigned>(clock.seconds().count()), 2);
    put_digits(text + 20, static_cast<unsigned>(clock.subseconds().count()), 3);
    out.append(text, sizeof text - 1);
}

std::string to_iso8601(Time time) {
    std::string out;
    append_iso8601(out, time);
    return out;
}

std::optional<Time> parse_iso8601(std::string_view text) noexcept {
    const auto date = take_date(text);
    if (!date) return std::nullopt;
    if (text.empty()) return Time{*date};
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
    const auto h = take_number(text, 2);
    if (!h || !take(text, ':')) return std::nullopt;
    const auto m = take_number(text, 2);
    if (!m) return std::nullopt;
    int s = 0;
    if (take(text, ':')) {
        const auto seconds = take_number(text, 2);
        if (!seconds) return std::nullopt;
        s = *seconds;
    }
    if (*h > 23 || *m > 59 || s > 60) return std::nullopt;
    const auto fraction = take_fraction(text);
    if (!fraction) return std::nullopt;
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;
    return Time{*date} + hours{*h} + minutes{*m} + seconds{s} + *fraction - *offset;
}

bool is_calendar_date(std::string_view text) noexcept {
    return take_date(text).has_value() && text.empty();
}

std::optional<Duration> parse_duration(std::string_view text) noexcept {
    std::int64_t total = 0;
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        std::int64_t amount = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
        if (error != std::errc{} || amount < 0) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const auto name = text.substr(0, text.find_first_of("0123456789"));
        const Unit* unit = nullptr;
        for (const auto& u : k_units) {
            if (u.name == name) unit = &u;
        }
        if (unit == nullptr || amount > std::numeric_limits<std::int64_t>::max() / 4 / unit->us) {
            return std::nullopt;
        }
        total += amount * unit->us;
        if (total > std::numeric_limits<std::int64_t>::max() / 4) return std::nullopt;
        text.remove_prefix(name.size());
    }
    return Duration{total};
}

std::string to_text(Duration duration) {
    std::string out;
    std::int64_t rest = duration.count();
    for (const auto& unit : k_units) {
        if (rest < unit.us) continue;
        out += std::to_string(rest / unit.us).append(unit.name);
        rest %= unit.us;
    }
    return out.empty() ? "0s" : out;
}

}  // namespace paperclip
