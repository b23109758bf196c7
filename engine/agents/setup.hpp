#pragma once

#include "engine/agents/agents.hpp"
#include "engine/http/router.hpp"

namespace paperclip::agents {

void add_sql(storage::Catalogue& catalogue);
void add_routes(http::Router& router, Core core, Agents& agents);

}  // namespace paperclip::agents
