#pragma once

#include "engine/company/companies.hpp"
#include "engine/http/router.hpp"

namespace paperclip::company {

void add_sql(storage::Catalogue& catalogue);
void add_routes(http::Router& router, Companies& companies);

}  // namespace paperclip::company
