#pragma once

#include "engine/declaration/declarations.hpp"
#include "engine/http/router.hpp"

namespace paperclip::declaration {

void add_sql(storage::Catalogue& catalogue);
void add_routes(http::Router& router, Declarations& declarations);

}  // namespace paperclip::declaration
