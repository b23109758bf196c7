#pragma once

#include "engine/app/places.hpp"

#include <string>

namespace paperclip::app {

/// A running engine says in its data folder where it answers, so that who is given the folder need
/// not be given the address too, and cannot be given another engine's. The file of an engine that
/// was killed goes when the folder is locked the next time.
void announce_engine(const Places& places, const std::string& url);
void withdraw_engine(const Places& places) noexcept;

/// Where the engine answers that holds the folder's lock. Throws Error{unavailable} when it has not
/// said so.
std::string url_of_engine(const Places& places);

}  // namespace paperclip::app
