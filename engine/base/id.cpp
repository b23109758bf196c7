#include "engine/base/id.hpp"

#include "engine/base/error.hpp"

#include <cstring>
#include <sodium.h>

namespace paperclip {
namespace {

constexpr bool is_dash(std::size_t i) {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

std::array<char, Id::k_length> to_text(const std::array<std::uint8_t, 16>& bytes) {
    static constexpr char k_digits[] = "0123456789abcdef";
    std::array<char, Id::k_length> text;
    std::size_t at = 0;
    for (const std::uint8_t byte : bytes) {
        if (is_dash(at)) text[at++] = '-';
        text[at++] = k_digits[byte >> 4];
        text[at++] = k_digits[byte & 15];
    }
    return text;
}

}  // namespace

std::optional<Id> Id::parse(std::string_view text) noexcept {
    if (text.size() != k_length) return std::nullopt;
    Id id;
    for (std::size_t i = 0; i < k_length; ++i) {
        char c = text[i];
        if (is_dash(i)) {
            if (c != '-') return std::nullopt;
        } else if (c >= 'A' && c <= 'F') {
            c = static_cast<char>(c - 'A' + 'a');
        } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return std::nullopt;
        }
        id.text_[i] = c;
    }
    return id;
}

Id Id::trusted(std::string_view text) {
    if (const auto id = parse(text)) return *id;
    throw Error(ErrorKind::internal, "stored id is not a UUID: \"" + std::string(text) + "\"");
}

Id Ids::next() {
    std::array<std::uint8_t, 16> bytes;
    if (seeded_) {
        const std::lock_guard lock(mutex_);
        const std::uint64_t random[2] = {(*seeded_)(), (*seeded_)()};
        std::memcpy(bytes.data(), random, sizeof random);
    } else {
        randombytes_buf(bytes.data(), bytes.size());
    }
    const auto ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now().time_since_epoch())
            .count());
    for (int i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    Id id;
    id.text_ = to_text(bytes);
    return id;
}

}  // namespace paperclip
