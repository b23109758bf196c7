#include "engine/work/setup.hpp"

namespace paperclip::work {

void add_sql(storage::Catalogue& catalogue) {
    catalogue.add_struct<Goal>();
    catalogue.add_struct<Project>();
    catalogue.add_struct<Workspace>();
    catalogue.add_struct<Issue>();
    catalogue.add_struct<IssueLink>();
    catalogue.add_struct<Comment>();
    catalogue.add_struct<GoalLink>();
    catalogue.add(storage::work_sql());
}

}  // namespace paperclip::work
