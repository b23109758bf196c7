#include "engine/pluginhost/http_client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace paperclip::pluginhost {
namespace {

struct Range {
    std::uint32_t network;
    int bits;
};
/// IPv4 ranges that are not the public internet (IANA's special-purpose registry).
constexpr std::array<Range, 14> k_special{{{0x00000000, 8},
                                           {0x0a000000, 8},
                                           {0x64400000, 10},
                                           {0x7f000000, 8},
                                           {0xa9fe0000, 16},
                                           {0xac100000, 12},
                                           {0xc0000000, 24},
                                           {0xc0000200, 24},
                                           {0xc0a80000, 16},
                                           {0xc6120000, 15},
                                           {0xc6336400, 24},
                                           {0xcb007100, 24},
                                           {0xe0000000, 4},
                                           {0xf0000000, 4}}};

bool is_public_v4(std::uint32_t address) {
    return std::none_of(k_special.begin(), k_special.end(), [&](const Range& range) {
        return (address >> (32 - range.bits)) == (range.network >> (32 - range.bits));
    });
}

}  // namespace

bool AddressPolicy::is_public(std::string_view text) {
    const std::string address(text);
    in_addr v4{};
    if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return is_public_v4(ntohl(v4.s_addr));
    in6_addr v6{};
    if (::inet_pton(AF_INET6, address.c_str(), &v6) != 1) return false;
    const auto* bytes = v6.s6_addr;
    const bool embeds_v4 = std::all_of(bytes, bytes + 10, [](auto b) { return b == 0; });
    if (embeds_v4) {  // ::1, ::, v4-mapped and v4-compatible
        const bool mapped = bytes[10] == 0xff && bytes[11] == 0xff;
        const std::uint32_t inner = static_cast<std::uint32_t>(bytes[12]) << 24 |
                                    static_cast<std::uint32_t>(bytes[13]) << 16 |
                                    static_cast<std::uint32_t>(bytes[14]) << 8 | bytes[15];
        return mapped && is_public_v4(inner);
    }
    // Only 2000::/3 is given out to public hosts; 64:ff9b::/96 leads to IPv4 by another way.
    return (bytes[0] & 0xe0) == 0x20 && !(bytes[0] == 0x20 && bytes[1] == 0x02);
}

bool AddressPolicy::allows(std::string_view host, std::string_view port,
                           std::string_view address) const {
    if (is_public(address)) return true;
    const std::string by_name = std::string(host) + ":" + std::string(port);
    const std::string by_address = std::string(address) + ":" + std::string(port);
    return std::any_of(allowed_.begin(), allowed_.end(), [&](const std::string& entry) {
        return entry == by_name || entry == by_address;
    });
}

}  // namespace paperclip::pluginhost
