#pragma once

#include "engine/access/agent_keys.hpp"
#include "engine/http/router.hpp"

namespace paperclip::access {

void add_sql(storage::Catalogue& catalogue);
void add_routes(http::Router& router, AgentKeys& keys);

}  // namespace paperclip::access
