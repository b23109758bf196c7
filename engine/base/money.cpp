#include "engine/base/money.hpp"

#include <charconv>

namespace paperclip {

std::optional<Money> parse_dollars(std::string_view text) noexcept {
    if (text.empty() || text.front() != '$') return std::nullopt;
    text.remove_prefix(1);
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    std::int64_t dollars = 0;
    const char* const last = text.data() + text.size();
    auto [at, error] = std::from_chars(text.data(), last, dollars);
    if (error != std::errc{} || dollars > 1'000'000'000) return std::nullopt;
    std::int64_t micros = dollars * 1'000'000;
    if (at != last) {
        if (*at != '.' || ++at == last) return std::nullopt;
        for (std::int64_t unit = 100'000; at != last; ++at, unit /= 10) {
            if (*at < '0' || *at > '9' || unit == 0) return std::nullopt;
            micros += (*at - '0') * unit;
        }
    }
    return Money{micros};
}

std::string to_dollars(Money money) {
    std::string out = money.micros < 0 ? "-$" : "$";
    const auto micros = static_cast<std::uint64_t>(money.micros < 0 ? -money.micros : money.micros);
    out += std::to_string(micros / 1'000'000);
    if (micros % 1'000'000 == 0) return out;
    std::string decimals = std::to_string(1'000'000 + micros % 1'000'000).substr(1);
    while (decimals.size() > 2 && decimals.back() == '0') decimals.pop_back();
    return out + '.' + decimals;
}

}  // namespace paperclip
