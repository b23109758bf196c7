#include "engine/agents/cron.hpp"

#include "engine/base/error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace paperclip::agents {
namespace {

struct FieldSpec {
    std::string_view name;
    int min;
    int max;
    std::array<std::string_view, 12> words;  ///< of the values from `min` on
};

constexpr std::array<FieldSpec, 5> k_fields{{
    {"minute", 0, 59, {}},
    {"hour", 0, 23, {}},
    {"day of month", 1, 31, {}},
    {"month",
     1,
     12,
     {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
    {"day of week", 0, 7, {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
}};

[[noreturn]] void fail(const FieldSpec& field, std::string_view found) {
    throw Error(ErrorKind::invalid,
                "cron: " + std::string(field.name) + ": expected " + std::to_string(field.min) +
                    " to " + std::to_string(field.max) +
                    ", a range, a list, a step or *, found \"" + std::string(found) + "\"");
}

int parse_value(const FieldSpec& field, std::string_view text) {
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    for (std::size_t i = 0; i < field.words.size(); ++i) {
        if (!field.words[i].empty() && field.words[i] == upper)
            return field.min + static_cast<int>(i);
    }
    int value = 0;
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || at != end || value < field.min || value > field.max)
        fail(field, text);
    return value;
}

/// "1-5/2" into its values.
template <class Set>
void parse_part(const FieldSpec& field, std::string_view part, Set& set) {
    const auto slash = part.find('/');
    const auto range = part.substr(0, slash);
    int step = 1;
    if (slash != std::string_view::npos) {
        const auto text = part.substr(slash + 1);
        const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), step);
        if (error != std::errc{} || at != text.data() + text.size() || step < 1) fail(field, part);
    }
    int first = field.min;
    int last = field.max;
    if (range != "*") {
        const auto dash = range.find('-');
        first = parse_value(field, range.substr(0, dash));
        last = dash != std::string_view::npos    ? parse_value(field, range.substr(dash + 1))
               : slash != std::string_view::npos ? field.max
                                                 : first;
    }
    if (first > last) fail(field, part);
    step = std::min(step, field.max + 1);  // or the sum below could overflow
    for (int value = first; value <= last; value += step) {
        set.set(static_cast<std::size_t>(value) % set.size());  // 7 is Sunday, 0
    }
}

template <class Set>
void parse_field(const FieldSpec& field, std::string_view text, Set& set) {
    if (text.empty()) fail(field, text);
    for (std::size_t from = 0; from <= text.size();) {
        const auto to = std::min(text.find(',', from), text.size());
        parse_part(field, text.substr(from, to - from), set);
        from = to + 1;
    }
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const auto start = text.find_first_not_of(" \t");
        if (start == std::string_view::npos) break;
        text.remove_prefix(start);
        const auto end = std::min(text.find_first_of(" \t"), text.size());
        words.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return words;
}

}  // namespace

Cron Cron::parse(std::string_view text) {
    const auto words = words_of(text);
    if (words.size() != 5) {
        throw Error(ErrorKind::invalid,
                    "cron: expected five fields (minute hour day month weekday), "
                    "found " +
                        std::to_string(words.size()) + " in \"" + std::string(text) + "\"");
    }
    Cron cron;
    parse_field(k_fields[0], words[0], cron.minutes_);
    parse_field(k_fields[1], words[1], cron.hours_);
    parse_field(k_fields[2], words[2], cron.days_);
    parse_field(k_fields[3], words[3], cron.months_);
    parse_field(k_fields[4], words[4], cron.weekdays_);
    cron.any_day_ = words[2].starts_with('*');
    cron.any_weekday_ = words[4].starts_with('*');
    return cron;
}

bool Cron::matches_day(date::local_days day) const {
    const date::year_month_day ymd{day};
    if (!months_[static_cast<unsigned>(ymd.month())]) return false;
    const bool by_day = days_[static_cast<unsigned>(ymd.day())];
    const bool by_weekday = weekdays_[date::weekday{day}.c_encoding()];
    return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

std::optional<Time> Cron::next_on(date::local_days day, Time after,
                                  const date::time_zone& zone) const {
    std::optional<Time> best;
    const auto consider = [&](Time time) {
        if (time > after && (!best || time < *best)) best = time;
    };
    for (int hour = 0; hour < 24; ++hour) {
        if (!hours_[static_cast<std::size_t>(hour)]) continue;
        for (int minute = 0; minute < 60; ++minute) {
            if (!minutes_[static_cast<std::size_t>(minute)]) continue;
            const auto local = day + std::chrono::hours(hour) + std::chrono::minutes(minute);
            const auto info = zone.get_info(local);
            const bool skipped = info.result == date::local_info::nonexistent;
            if (skipped && hours_.all()) continue;
            if (skipped) {
                consider(Time{info.first.end});
                continue;
            }
            consider(Time{local.time_since_epoch() - info.first.offset});
            const bool twice = info.result == date::local_info::ambiguous;
            if (twice && hours_.all())
                consider(Time{local.time_since_epoch() - info.second.offset});
        }
    }
    return best;
}

std::optional<Time> Cron::next(Time after, const date::time_zone& zone) const {
    constexpr int k_horizon_days = 8 * 366;
    auto day = date::floor<date::days>(zone.to_local(after));
    for (int i = 0; i < k_horizon_days; ++i, day += date::days(1)) {
        if (!matches_day(day)) continue;
        if (const auto found = next_on(day, after, zone)) return found;
    }
    return std::nullopt;
}

}  // namespace paperclip::agents
