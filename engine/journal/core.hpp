#pragma once

#include "engine/base/clock.hpp"
#include "engine/base/id.hpp"
#include "engine/journal/journal.hpp"
#include "engine/storage/store.hpp"

namespace paperclip {

/// What every service works with. All of it is thread-safe and lives as long as the engine.
struct Core {
    storage::Store& store;
    journal::Journal& journal;
    const Clock& clock;
    Ids& ids;
};

}  // namespace paperclip
