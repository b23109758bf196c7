#pragma once

#include <date/tz.h>
#include <string>

namespace paperclip {

/// The zone of an IANA name such as Europe/Berlin, from the system's database as it was at the
/// first call; nothing when there is none of that name. It lives as long as the program.
/// Thread-safe. Throws std::runtime_error when the system has no database.
const date::time_zone* find_time_zone(const std::string& name);

/// The same; throws Error when there is none of that name.
const date::time_zone& time_zone(const std::string& name);

}  // namespace paperclip
