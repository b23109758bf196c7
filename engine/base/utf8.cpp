#include "engine/base/utf8.hpp"

namespace paperclip {
namespace {

constexpr bool is_tail(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

std::size_t utf8_sequence(std::string_view text) noexcept {
    if (text.empty()) return 0;
    const auto c0 = static_cast<unsigned char>(text[0]);
    if (c0 < 0x80) return 1;
    const std::size_t n = c0 >= 0xF0 ? 4 : c0 >= 0xE0 ? 3 : 2;
    if (c0 < 0xC2 || c0 > 0xF4 || text.size() < n) return 0;
    for (std::size_t i = 1; i < n; ++i) {
        if (!is_tail(text[i])) return 0;
    }
    const auto c1 = static_cast<unsigned char>(text[1]);
    const bool overlong = (c0 == 0xE0 && c1 < 0xA0) || (c0 == 0xF0 && c1 < 0x90);
    const bool surrogate = c0 == 0xED && c1 >= 0xA0;
    const bool too_high = c0 == 0xF4 && c1 >= 0x90;
    return overlong || surrogate || too_high ? 0 : n;
}

std::size_t find_invalid_utf8(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t n = utf8_sequence(text.substr(at, 4));
        if (n == 0) return at;
        at += n;
    }
    return std::string_view::npos;
}

std::size_t utf8_length(std::string_view text) noexcept {
    std::size_t n = 0;
    for (const char c : text) n += is_tail(c) ? 0 : 1;
    return n;
}

std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes) noexcept {
    if (text.size() <= max_bytes) return text;
    while (max_bytes > 0 && is_tail(text[max_bytes])) --max_bytes;
    return text.substr(0, max_bytes);
}

std::string_view utf8_suffix(std::string_view text, std::size_t max_bytes) noexcept {
    if (text.size() <= max_bytes) return text;
    text.remove_prefix(text.size() - max_bytes);
    while (!text.empty() && is_tail(text.front())) text.remove_prefix(1);
    return text;
}

void append_utf8(std::string& out, char32_t code) {
    const auto tail = [&](unsigned shift) {
        out += static_cast<char>(0x80 | ((code >> shift) & 0x3F));
    };
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | (code >> 6));
        tail(0);
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | (code >> 12));
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xF0 | (code >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
}

std::string to_valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t n = utf8_sequence(text.substr(0, 4));
        out.append(n > 0 ? text.substr(0, n) : std::string_view("\xEF\xBF\xBD"));
        text.remove_prefix(n > 0 ? n : 1);
    }
    return out;
}

}  // namespace paperclip
