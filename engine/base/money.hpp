#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace paperclip {

/// An amount of US dollars in millionths, so that costs far below a cent add up. The API speaks in
/// whole cents: a Money is sent rounded to the nearest cent, and read as cents.
struct Money {
    std::int64_t micros = 0;

    static constexpr std::int64_t k_micros_per_cent = 10'000;
    static constexpr Money cents(std::int64_t cents) { return {cents * k_micros_per_cent}; }

    [[nodiscard]] constexpr std::int64_t to_cents() const {
        const std::int64_t half = micros < 0 ? -k_micros_per_cent / 2 : k_micros_per_cent / 2;
        return (micros + half) / k_micros_per_cent;
    }

    friend constexpr auto operator<=>(const Money&, const Money&) = default;
    friend constexpr Money operator+(Money a, Money b) { return {a.micros + b.micros}; }
    friend constexpr Money operator-(Money a, Money b) { return {a.micros - b.micros}; }
};

/// "$80", "$2.50", "$0.0016". Nothing for anything else, a negative or an overflowing amount.
std::optional<Money> parse_dollars(std::string_view text) noexcept;

/// "$80", "$2.50", "$0.0016": two decimals unless the amount is whole or needs more.
std::string to_dollars(Money money);

}  // namespace paperclip
