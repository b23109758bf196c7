#include "engine/base/time_zones.hpp"

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

}  // namespace paperclip
