#pragma once

#include <filesystem>
#include <string>

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::sqlite {

/// What errno says a call failed with, in the ABI's words.
sdk::Failure system_failure(const std::string& what, int number);

/// Creates a database file that its owner alone may read; what SQLite puts beside it takes after
/// it. An existing file is not even opened: to close it would end the locks that this process holds
/// on it.
void create_private(const std::filesystem::path& path);

/// Copies the database at `path`, which may be in use, to the new file `target`: a database that
/// any SQLite opens, with a seal behind its last page, since SQLite itself does not notice a
/// changed byte in a row. Throws sdk::Failure; then there is no `target`.
void backup_database(const std::filesystem::path& path, const std::filesystem::path& target);

/// Throws sdk::Failure{PC_CORRUPT} unless the file is a whole, sound backup.
void verify_backup(const std::filesystem::path& path);

/// Verifies `backup` and puts it in the place of the database at `path`, which no engine may have
/// open. A crash leaves the one or the other.
void restore_database(const std::filesystem::path& path, const std::filesystem::path& backup);

}  // namespace paperclip::sqlite
