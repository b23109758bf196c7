#pragma once

#include "engine/base/clock.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace paperclip {

/// The identity of a resource: a UUID, held in the 36-character text form in which it is stored and
/// sent, so that it is never converted. A plain value; the default is the nil UUID.
class Id {
 public:
    static constexpr std::size_t k_length = 36;

    Id() noexcept {
        std::string_view("00000000-0000-0000-0000-000000000000").copy(text_.data(), k_length);
    }

    /// Any RFC 9562 text form, upper case accepted and lowered. Nothing when `text` is not a UUID.
    static std::optional<Id> parse(std::string_view text) noexcept;

    /// `text` was written by this engine (a database row): it must be a UUID, else throws
    /// Error{internal}.
    static Id trusted(std::string_view text);

    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), text_.size()}; }
    [[nodiscard]] std::string str() const { return std::string(view()); }
    [[nodiscard]] bool is_nil() const noexcept { return *this == Id{}; }

    friend bool operator==(const Id&, const Id&) noexcept = default;
    friend auto operator<=>(const Id& a, const Id& b) noexcept { return a.view() <=> b.view(); }

 private:
    friend class Ids;
    std::array<char, k_length> text_;
};

/// Makes ids. Thread-safe; lives as long as the engine.
///
/// The wire promises version 4 (clients check it), so the version digit says 4; the first 48 bits
/// are the time in milliseconds as in version 7, so that new rows append to their index instead of
/// scattering over it. 74 bits stay random. An id is not a secret.
class Ids {
 public:
    /// Random bits from the operating system.
    explicit Ids(const Clock& clock) noexcept : clock_(clock) {}

    /// Random bits from `seed`: two engines with one seed and one clock make the same ids. For
    /// simulations.
    Ids(const Clock& clock, std::uint64_t seed) : clock_(clock), seeded_(std::in_place, seed) {}

    Id next();

 private:
    const Clock& clock_;
    std::mutex mutex_;
    std::optional<std::mt19937_64> seeded_;
};

}  // namespace paperclip

template <>
struct std::hash<paperclip::Id> {
    std::size_t operator()(const paperclip::Id& id) const noexcept {
        return std::hash<std::string_view>{}(id.view());
    }
};
