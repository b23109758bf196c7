#pragma once

#include "engine/storage/catalogue.hpp"

namespace paperclip::runs {

void add_sql(storage::Catalogue& catalogue);

}  // namespace paperclip::runs
