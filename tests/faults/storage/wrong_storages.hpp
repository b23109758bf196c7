#pragma once

#include <paperclip/draft/storage.h>
#include <string>
#include <vector>

namespace paperclip::test {

/// A storage that breaks a promise on purpose, and the rules of the kit that must say so, and no
/// others.
struct WrongStorage {
    const char* what;
    const pc_storage& table;
    std::vector<std::string> rules;
};

std::vector<WrongStorage> wrong_units();    ///< in what becomes of units
std::vector<WrongStorage> wrong_groups();   ///< in what units do to each other
std::vector<WrongStorage> wrong_queries();  ///< in what is read
std::vector<WrongStorage> wrong_stores();   ///< in opening, migrations, backups and the like

/// Acknowledges units before they are applied.
const pc_storage& hasty_storage();
/// Runs each statement of a script in a transaction of its own.
const pc_storage& piecemeal_storage();

}  // namespace paperclip::test
