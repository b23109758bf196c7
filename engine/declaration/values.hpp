#pragma once

#include "engine/base/described.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The small things that a declaration says in one word, each with the text form that people write.

namespace paperclip::declaration {

/// A length of time with its unit: "45m", "3d", "1h30m".
struct Span {
    Duration length{0};

    [[nodiscard]] std::int64_t seconds() const {
        return std::chrono::duration_cast<std::chrono::seconds>(length).count();
    }
    friend auto operator<=>(const Span&, const Span&) = default;
};

/// An amount of dollars: "$10", "$2.50".
struct Dollars {
    Money money;
    friend auto operator<=>(const Dollars&, const Dollars&) = default;
};

/// Hours in which nobody wakes by a timer, "22:00-07:00", or "none".
struct QuietSpan {
    std::string text = "none";

    [[nodiscard]] bool is_none() const { return text == "none"; }
    friend bool operator==(const QuietSpan&, const QuietSpan&) = default;
};

/// A template of an agent at a version: "cliphub:acme/senior-python-eng@1.2.0".
struct TemplateRef {
    std::string text;
    friend bool operator==(const TemplateRef&, const TemplateRef&) = default;
};

/// Has `text` the form of a slug: lower-case letters, digits and inner hyphens, at most 64
/// characters? Words that YAML 1.1 readers take for a boolean or for null ("no", "on", "y" …) have
/// not.
bool is_slug(std::string_view text) noexcept;
/// Has `text` the form of the name of a secret or an environment variable: GITHUB_TOKEN?
bool is_variable_name(std::string_view text) noexcept;
/// Is `text` a host name, perhaps with "*." before it and a port behind it?
bool is_host(std::string_view text) noexcept;

}  // namespace paperclip::declaration

template <>
struct paperclip::TextForm<paperclip::declaration::Span> {
    static std::optional<declaration::Span> parse(std::string_view text);
    static std::string format(const declaration::Span& span);
    static constexpr std::string_view expected =
        "a length of time with its unit, such as 45m, 4h or 3d";
    static constexpr std::string_view pattern = "^([0-9]+(ms|s|m|h|d))+$";
};
template <>
struct paperclip::TextForm<paperclip::declaration::Dollars> {
    static std::optional<declaration::Dollars> parse(std::string_view text);
    static std::string format(const declaration::Dollars& dollars);
    static constexpr std::string_view expected = "an amount of dollars, such as $10 or $2.50";
    static constexpr std::string_view pattern = "^\\$[0-9]+(\\.[0-9]{1,6})?$";
};
template <>
struct paperclip::TextForm<paperclip::declaration::QuietSpan> {
    static std::optional<declaration::QuietSpan> parse(std::string_view text);
    static std::string format(const declaration::QuietSpan& quiet);
    static constexpr std::string_view expected = "hours such as 22:00-07:00, or none";
    static constexpr std::string_view pattern =
        "^(none|([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9])$";
};
template <>
struct paperclip::TextForm<paperclip::declaration::TemplateRef> {
    static std::optional<declaration::TemplateRef> parse(std::string_view text);
    static std::string format(const declaration::TemplateRef& ref);
    static constexpr std::string_view expected =
        "a template with its exact version, such as cliphub:acme/senior-python-eng@1.2.0";
    static constexpr std::string_view pattern =
        "^cliphub:[a-z0-9][a-z0-9-]*/"
        "[a-z0-9][a-z0-9-]*@[0-9]+\\.[0-9]+\\.[0-9]+([+-][0-9A-Za-z.+-]+)?$";
};
