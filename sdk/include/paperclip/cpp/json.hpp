#pragma once

#include "text.hpp"

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::sdk {

/// A JSON value as a view of the text that holds it: nothing is copied or converted, so a value can
/// be passed on byte for byte, and a number keeps all its digits. The text must outlive the view.
/// Made by parse(), which checks the whole text, so that nothing here can fail later: what a value
/// is not, or does not have, reads as missing. Where a name stands twice in an object, the last one
/// counts.
class Json {
 public:
    /// Texts that are nested deeper are refused.
    static constexpr int k_max_depth = 64;

    struct Member;

    /// A missing value.
    Json() noexcept = default;

    /// Reads one value: RFC 8259, valid UTF-8, nothing after it. Nothing for any other text.
    static std::optional<Json> parse(std::string_view text) noexcept;

    explicit operator bool() const noexcept { return !raw_.empty(); }
    [[nodiscard]] bool is_null() const noexcept { return raw_ == "null"; }
    [[nodiscard]] bool is_string() const noexcept { return starts('"'); }
    [[nodiscard]] bool is_array() const noexcept { return starts('['); }
    [[nodiscard]] bool is_object() const noexcept { return starts('{'); }
    [[nodiscard]] bool is_number() const noexcept {
        return !raw_.empty() && (raw_[0] == '-' || (raw_[0] >= '0' && raw_[0] <= '9'));
    }

    /// The text of the value, without the space around it.
    [[nodiscard]] std::string_view raw() const noexcept { return raw_; }
    /// The characters of a string; of anything else `otherwise`.
    [[nodiscard]] std::string text(std::string_view otherwise = {}) const;
    [[nodiscard]] std::optional<bool> boolean() const noexcept;
    /// A number that is whole and fits, however it is written: 12, 12.0, 1.2e1.
    [[nodiscard]] std::optional<std::int64_t> integer() const noexcept { return fixed(0, true); }
    /// A number times 10^`places`, without a detour through floating point. What does not come out
    /// whole is rounded to the nearest, away from zero when in the middle; nothing if `exact`.
    [[nodiscard]] std::optional<std::int64_t> fixed(int places, bool exact = false) const noexcept;

    [[nodiscard]] Json operator[](std::string_view name) const;
    [[nodiscard]] std::vector<Member> members() const;
    [[nodiscard]] std::vector<Json> items() const;

 private:
    explicit Json(std::string_view raw) noexcept : raw_(raw) {}
    [[nodiscard]] bool starts(char c) const noexcept { return !raw_.empty() && raw_[0] == c; }

    std::string_view raw_;
};

struct Json::Member {
    std::string name;
    Json value;
};

namespace detail {

/// Walks over JSON text. Each function takes what it is named for off the front and says whether it
/// was there.
class JsonScanner {
 public:
    explicit JsonScanner(std::string_view text) noexcept : rest_(text) {}

    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

    void space() noexcept {
        while (!rest_.empty() &&
               (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n' || rest_[0] == '\r')) {
            rest_.remove_prefix(1);
        }
    }
    bool take(char c) noexcept {
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// One value with the space before it; `raw` becomes its text.
    bool value(std::string_view& raw, int depth = 0) noexcept {
        space();
        const std::string_view from = rest_;
        if (depth > Json::k_max_depth || rest_.empty()) return false;
        if (!value_after_space(depth)) return false;
        raw = from.substr(0, from.size() - rest_.size());
        return true;
    }
    bool string() noexcept {
        if (!take('"')) return false;
        while (!rest_.empty()) {
            if (take('"')) return true;
            if (!(rest_[0] == '\\' ? escape() : character())) return false;
        }
        return false;
    }

 private:
    bool value_after_space(int depth) noexcept {
        switch (rest_[0]) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return string();
            case 't':
                return word("true");
            case 'f':
                return word("false");
            case 'n':
                return word("null");
            default:
                return number();
        }
    }
    bool object(int depth) noexcept {
        take('{');
        space();
        if (take('}')) return true;
        for (;;) {
            std::string_view ignored;
            space();
            if (!string()) return false;
            space();
            if (!take(':') || !value(ignored, depth + 1)) return false;
            space();
            if (take('}')) return true;
            if (!take(',')) return false;
        }
    }
    bool array(int depth) noexcept {
        take('[');
        space();
        if (take(']')) return true;
        for (;;) {
            std::string_view ignored;
            if (!value(ignored, depth + 1)) return false;
            space();
            if (take(']')) return true;
            if (!take(',')) return false;
        }
    }
    bool word(std::string_view expected) noexcept {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }
    bool digits() noexcept {
        const auto before = rest_.size();
        while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') rest_.remove_prefix(1);
        return rest_.size() < before;
    }
    bool number() noexcept {
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (take('e') || take('E')) {
            if (!take('+')) take('-');
            return digits();
        }
        return true;
    }
    bool character() noexcept {
        const auto size = utf8_sequence(rest_);
        if (size == 0 || static_cast<unsigned char>(rest_[0]) < 0x20) return false;
        rest_.remove_prefix(size);
        return true;
    }
    bool escape() noexcept {
        rest_.remove_prefix(1);
        if (rest_.empty()) return false;
        const char kind = rest_[0];
        rest_.remove_prefix(1);
        if (kind != 'u') return std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos;
        std::uint32_t first = 0;
        std::uint32_t second = 0;
        if (!hex4(first) || (first >= 0xDC00 && first < 0xE000)) return false;
        if (first < 0xD800 || first >= 0xE000) return true;
        return take('\\') && take('u') && hex4(second) && second >= 0xDC00 && second < 0xE000;
    }
    bool hex4(std::uint32_t& out) noexcept {
        if (rest_.size() < 4) return false;
        const char* const end = rest_.data() + 4;
        const auto [at, error] = std::from_chars(rest_.data(), end, out, 16);
        rest_.remove_prefix(4);
        return error == std::errc{} && at == end;
    }

    std::string_view rest_;
};

inline std::uint32_t hex4_of(std::string_view text) noexcept {
    std::uint32_t code = 0;
    std::from_chars(text.data(), text.data() + 4, code, 16);
    return code;
}

/// The characters of a string's text between its quotes, which was checked.
inline std::string unescape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto plain = text.substr(0, text.find('\\'));
        out += plain;
        text.remove_prefix(plain.size());
        if (text.empty()) break;
        if (text[1] != 'u') {
            constexpr std::string_view k_names = "\"\\/bfnrt";
            out += "\"\\/\b\f\n\r\t"[k_names.find(text[1])];
            text.remove_prefix(2);
            continue;
        }
        std::uint32_t code = hex4_of(text.substr(2));
        text.remove_prefix(6);
        if (code >= 0xD800 && code < 0xDC00) {
            code = 0x10000 + ((code - 0xD800) << 10) + (hex4_of(text.substr(2)) - 0xDC00);
            text.remove_prefix(6);
        }
        append_utf8(out, code);
    }
    return out;
}

/// A number's text as its digits and where the point belongs: 0.0213 is 00213 and -4.
struct Digits {
    bool negative = false;
    std::string_view whole;
    std::string_view fraction;
    std::int64_t exponent = 0;

    explicit Digits(std::string_view text) noexcept {
        negative = text.starts_with('-');
        if (negative) text.remove_prefix(1);
        if (const auto at = text.find_first_of("eE"); at != std::string_view::npos) {
            auto power = text.substr(at + 1);
            if (power.starts_with('+')) power.remove_prefix(1);
            const auto end = power.data() + power.size();
            const bool fits = std::from_chars(power.data(), end, exponent).ec == std::errc{};
            // Beyond any length of digits that fits in memory, and far from overflowing itself.
            constexpr std::int64_t k_most = 1LL << 60;
            if (!fits) exponent = power.starts_with('-') ? -k_most : k_most;
            exponent = exponent < -k_most ? -k_most : exponent > k_most ? k_most : exponent;
            text = text.substr(0, at);
        }
        const auto point = text.find('.');
        whole = text.substr(0, point);
        if (point != std::string_view::npos) fraction = text.substr(point + 1);
    }
    [[nodiscard]] std::size_t size() const noexcept { return whole.size() + fraction.size(); }
    [[nodiscard]] int at(std::size_t i) const noexcept {
        return (i < whole.size() ? whole[i] : fraction[i - whole.size()]) - '0';
    }
    [[nodiscard]] bool is_zero() const noexcept {
        return whole.find_first_not_of('0') == std::string_view::npos &&
               fraction.find_first_not_of('0') == std::string_view::npos;
    }
};

}  // namespace detail

inline std::optional<Json> Json::parse(std::string_view text) noexcept {
    detail::JsonScanner scanner(text);
    std::string_view raw;
    if (!scanner.value(raw)) return std::nullopt;
    scanner.space();
    if (!scanner.rest().empty()) return std::nullopt;
    return Json(raw);
}

inline std::string Json::text(std::string_view otherwise) const {
    return is_string() ? detail::unescape(raw_.substr(1, raw_.size() - 2)) : std::string(otherwise);
}

inline std::optional<bool> Json::boolean() const noexcept {
    if (raw_ == "true") return true;
    if (raw_ == "false") return false;
    return std::nullopt;
}

inline std::optional<std::int64_t> Json::fixed(int places, bool exact) const noexcept {
    if (!is_number()) return std::nullopt;
    const detail::Digits digits(raw_);
    if (digits.is_zero()) return 0;
    // So many digits stand before the point of the answer; what follows is rounded away.
    const std::int64_t kept =
        static_cast<std::int64_t>(digits.whole.size()) + digits.exponent + places;
    const auto count = static_cast<std::int64_t>(digits.size());
    std::int64_t value = 0;
    for (std::int64_t i = 0; i < kept; ++i) {
        const int digit = i < count ? digits.at(static_cast<std::size_t>(i)) : 0;
        if (value > (std::numeric_limits<std::int64_t>::max() - digit) / 10) return std::nullopt;
        value = value * 10 + digit;
        if (i >= count && value == 0) break;  // nothing but zeros
    }
    for (std::int64_t i = kept < 0 ? 0 : kept; exact && i < count; ++i) {
        if (digits.at(static_cast<std::size_t>(i)) != 0) return std::nullopt;
    }
    const bool up = kept >= 0 && kept < count && digits.at(static_cast<std::size_t>(kept)) >= 5;
    if (up && value == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    if (up) ++value;
    return digits.negative ? -value : value;
}

inline std::vector<Json::Member> Json::members() const {
    std::vector<Member> list;
    if (!is_object()) return list;
    detail::JsonScanner scanner(raw_.substr(1));
    for (scanner.space(); !scanner.take('}'); scanner.space()) {
        std::string_view name;
        std::string_view value;
        scanner.take(',');
        scanner.value(name);
        scanner.space();
        scanner.take(':');
        scanner.value(value);
        list.push_back({Json(name).text(), Json(value)});
    }
    return list;
}

inline std::vector<Json> Json::items() const {
    std::vector<Json> list;
    if (!is_array()) return list;
    detail::JsonScanner scanner(raw_.substr(1));
    for (scanner.space(); !scanner.take(']'); scanner.space()) {
        std::string_view value;
        scanner.take(',');
        scanner.value(value);
        list.push_back(Json(value));
    }
    return list;
}

inline Json Json::operator[](std::string_view name) const {
    Json found;
    if (!is_object()) return found;
    for (const auto& member : members()) {
        if (member.name == name) found = member.value;
    }
    return found;
}

/// Writes one JSON object or array, member after member:
///
///     JsonWriter w;
///     w.begin_object().member("id", 3).key("list").begin_array().value("a").end_array();
///     const std::string text = w.end_object().take();
class JsonWriter {
 public:
    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& end_array() { return close(']'); }

    JsonWriter& key(std::string_view name) {
        comma();
        append_json_string(out_, name);
        out_ += ':';
        fresh_ = true;
        return *this;
    }
    JsonWriter& value(std::string_view text) {
        comma();
        append_json_string(out_, text);
        return *this;
    }
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
    JsonWriter& value(bool b) { return raw(b ? "true" : "false"); }
    JsonWriter& value(std::int64_t i) { return raw(std::to_string(i)); }
    JsonWriter& value(std::int32_t i) { return raw(std::to_string(i)); }
    JsonWriter& value(std::uint32_t i) { return raw(std::to_string(i)); }
    JsonWriter& value(std::uint64_t i) { return raw(std::to_string(i)); }
    JsonWriter& value(const Json& json) { return raw(json ? json.raw() : "null"); }
    /// Appends `json` as it is: it must be one well-formed value.
    JsonWriter& raw(std::string_view json) {
        comma();
        out_ += json;
        return *this;
    }
    template <class T>
    JsonWriter& member(std::string_view name, const T& v) {
        return key(name).value(v);
    }
    /// What was written; the writer is empty after it.
    std::string take() { return std::move(out_); }

 private:
    JsonWriter& open(char c) {
        comma();
        out_ += c;
        fresh_ = true;
        return *this;
    }
    JsonWriter& close(char c) {
        out_ += c;
        fresh_ = false;
        return *this;
    }
    void comma() {
        if (!fresh_) out_ += ',';
        fresh_ = false;
    }

    std::string out_;
    bool fresh_ = true;
};

}  // namespace paperclip::sdk
