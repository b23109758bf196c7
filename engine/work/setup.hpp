#pragma once

#include "engine/http/router.hpp"
#include "engine/work/issues.hpp"
#include "engine/work/projects.hpp"

namespace paperclip::work {

void add_sql(storage::Catalogue& catalogue);
void add_goal_routes(http::Router& router, Goals& goals);
void add_project_routes(http::Router& router, Core core, Projects& projects);
void add_issue_routes(http::Router& router, Core core, Issues& issues, Goals& goals,
                      Projects& projects);

}  // namespace paperclip::work
