#include "engine/declaration/values.hpp"

#include "engine/agents/schedule.hpp"
#include "engine/base/error.hpp"
#include "engine/base/time.hpp"

#include <algorithm>
#include <array>

namespace paperclip {
namespace {

constexpr std::size_t k_max_slug = 64;

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_slug_text(std::string_view text) {
    const auto plain = [](char c) { return is_lower(c) || is_digit(c); };
    return !text.empty() && text.size() <= k_max_slug && plain(text.front()) &&
           plain(text.back()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return plain(c) || c == '-'; });
}

/// "1.2.0", perhaps with "-rc.1" or "+build" behind it.
bool is_version(std::string_view text) {
    int parts = 0;
    while (parts < 3) {
        const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
        const auto digits = static_cast<std::size_t>(end - text.begin());
        if (digits == 0) return false;
        text.remove_prefix(digits);
        if (++parts == 3) break;
        if (!text.starts_with('.')) return false;
        text.remove_prefix(1);
    }
    if (text.empty()) return true;
    if (text.size() == 1 || (text.front() != '-' && text.front() != '+')) return false;
    return std::all_of(text.begin() + 1, text.end(), [](char c) {
        return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
               c == '+';
    });
}

}  // namespace

namespace declaration {

bool is_slug(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 9> k_yaml_words{"y",   "n",    "yes",   "no",  "on",
                                                           "off", "true", "false", "null"};
    return is_slug_text(text) &&
           std::find(k_yaml_words.begin(), k_yaml_words.end(), text) == k_yaml_words.end();
}

bool is_variable_name(std::string_view text) noexcept {
    const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || is_lower(c) || c == '_'; };
    return !text.empty() && text.size() <= 128 && letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || is_digit(c); });
}

bool is_host(std::string_view text) noexcept {
    if (text.starts_with("*.")) text.remove_prefix(2);
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        const auto port = text.substr(colon + 1);
        if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) {
            return false;
        }
        text = text.substr(0, colon);
    }
    if (text.empty() || text.size() > 253) return false;
    while (true) {
        const auto label = text.substr(0, text.find('.'));
        const auto plain = [](char c) {
            return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '-';
        };
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
            !std::all_of(label.begin(), label.end(), plain)) {
            return false;
        }
        if (label.size() == text.size()) return true;
        text.remove_prefix(label.size() + 1);
    }
}

}  // namespace declaration

std::optional<declaration::Span> TextForm<declaration::Span>::parse(std::string_view text) {
    const auto length = parse_duration(text);
    if (!length) return std::nullopt;
    return declaration::Span{*length};
}
std::string TextForm<declaration::Span>::format(const declaration::Span& span) {
    return to_text(span.length);
}

std::optional<declaration::Dollars> TextForm<declaration::Dollars>::parse(std::string_view text) {
    const auto money = parse_dollars(text);
    if (!money) return std::nullopt;
    return declaration::Dollars{*money};
}
std::string TextForm<declaration::Dollars>::format(const declaration::Dollars& dollars) {
    return to_dollars(dollars.money);
}

std::optional<declaration::QuietSpan> TextForm<declaration::QuietSpan>::parse(
    std::string_view text) {
    if (text != "none") {
        try {
            agents::QuietHours::parse(text);
        } catch (const Error&) {
            return std::nullopt;
        }
    }
    return declaration::QuietSpan{std::string(text)};
}
std::string TextForm<declaration::QuietSpan>::format(const declaration::QuietSpan& quiet) {
    return quiet.text;
}

std::optional<declaration::TemplateRef> TextForm<declaration::TemplateRef>::parse(
    std::string_view text) {
    constexpr std::string_view k_hub = "cliphub:";
    if (!text.starts_with(k_hub)) return std::nullopt;
    const auto name = text.substr(k_hub.size());
    const auto slash = name.find('/');
    const auto at = name.find('@');
    if (slash == std::string_view::npos || at == std::string_view::npos || at < slash) {
        return std::nullopt;
    }
    if (!is_slug_text(name.substr(0, slash)) ||
        !is_slug_text(name.substr(slash + 1, at - slash - 1)) || !is_version(name.substr(at + 1))) {
        return std::nullopt;
    }
    return declaration::TemplateRef{std::string(text)};
}
std::string TextForm<declaration::TemplateRef>::format(const declaration::TemplateRef& ref) {
    return ref.text;
}

}  // namespace paperclip
