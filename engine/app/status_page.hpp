#pragma once

#include "engine/http/message.hpp"

namespace paperclip::app {

/// The one page that shows companies, agents and runs until there is a dashboard.
http::Response status_page();

}  // namespace paperclip::app
