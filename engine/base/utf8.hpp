#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace paperclip {

/// The length of the well-formed UTF-8 sequence at the front of `text` (RFC 3629: no surrogates, no
/// overlong forms), or 0.
std::size_t utf8_sequence(std::string_view text) noexcept;

/// The offset of the first byte that is not part of well-formed UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text) noexcept;

/// How many code points well-formed UTF-8 `text` has.
std::size_t utf8_length(std::string_view text) noexcept;

/// The longest prefix of `text` that has at most `max_bytes` bytes and cuts no character.
std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes) noexcept;

/// The longest suffix of `text` that has at most `max_bytes` bytes and cuts no character.
std::string_view utf8_suffix(std::string_view text, std::size_t max_bytes) noexcept;

/// Appends the code point `code`, which is no surrogate and at most 0x10FFFF.
void append_utf8(std::string& out, char32_t code);

/// `text` with every byte that is not UTF-8 replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace paperclip
