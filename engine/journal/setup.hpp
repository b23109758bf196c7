#pragma once

#include "engine/storage/catalogue.hpp"

namespace paperclip::journal {

void add_sql(storage::Catalogue& catalogue);

}  // namespace paperclip::journal
