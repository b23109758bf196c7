#pragma once

#include "engine/governance/budgets.hpp"
#include "engine/http/router.hpp"

namespace paperclip::governance {

void add_sql(storage::Catalogue& catalogue);
void add_routes(http::Router& router, Core core, Budgets& budgets, company::Companies& companies);

}  // namespace paperclip::governance
