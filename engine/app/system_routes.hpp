#pragma once

#include "engine/app/services.hpp"

#include <string>

namespace paperclip::app {

/// Routes about the engine itself: /health, /openapi.json, /adapters, who am I. `openapi` is filled
/// in before the server starts.
void add_system_routes(http::Router& router, Services& services, const std::string& openapi);

}  // namespace paperclip::app
