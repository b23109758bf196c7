#include "engine/base/time_zones.hpp"

#include "engine/base/error.hpp"

#include <stdexcept>

namespace paperclip {

const date::time_zone* find_time_zone(const std::string& name) {
    // Loaded here, so that a missing database is told from a missing zone.
    [[maybe_unused]] static const date::tzdb& database = date::get_tzdb();
    try {
        return date::locate_zone(name);
    } catch (const std::runtime_error&) {
        return nullptr;
    }
}

const date::time_zone& time_zone(const std::string& name) {
    if (const auto* zone = find_time_zone(name)) return *zone;
    throw Error(ErrorKind::invalid,
                "timezone: expected an IANA name such as Europe/Berlin, found \"" + name + "\"");
}

}  // namespace paperclip
