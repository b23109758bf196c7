#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <sqlite3.h>
#include <string>

namespace paperclip::test {

/// What an SQLite database holds, a digest a table: for two moments to be compared. Reads all of
/// the database, but only after somebody has written to it. Sees the tables that there are when it
/// is made.
class Contents {
 public:
    using Digests = std::map<std::string, std::size_t>;

    explicit Contents(const std::filesystem::path& file);
    ~Contents();
    Contents(const Contents&) = delete;
    Contents& operator=(const Contents&) = delete;

    const Digests& digests();

 private:
    sqlite3_stmt* prepare(const std::string& sql);

    sqlite3* db_ = nullptr;
    sqlite3_stmt* version_ = nullptr;
    std::map<std::string, sqlite3_stmt*> tables_;
    std::int64_t read_at_ = -1;
    Digests digests_;
};

/// The names of the tables in which the two differ.
std::string differences(const Contents::Digests& a, const Contents::Digests& b);

}  // namespace paperclip::test
