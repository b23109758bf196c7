#include "tests/fuzz/contents.hpp"

#include <functional>
#include <stdexcept>
#include <utility>

namespace paperclip::test {
namespace {

/// Steps to the next row; false, and back at the start, behind the last one.
bool next(sqlite3_stmt* statement) {
    const int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) return true;
    sqlite3_reset(statement);
    if (code != SQLITE_DONE) {
        throw std::runtime_error(sqlite3_errmsg(sqlite3_db_handle(statement)));
    }
    return false;
}

std::string text(sqlite3_stmt* statement, int column) {
    const void* bytes = sqlite3_column_blob(statement, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
}

std::size_t digest(sqlite3_stmt* rows) {
    std::string all;
    while (next(rows)) {
        for (int column = 0; column < sqlite3_column_count(rows); ++column) {
            all += static_cast<char>('0' + sqlite3_column_type(rows, column));
            all += text(rows, column) + '\0';
        }
    }
    return std::hash<std::string>()(all);
}

}  // namespace

Contents::Contents(const std::filesystem::path& file) {
    if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) throw std::runtime_error(file.string());
    version_ = prepare("pragma data_version");
    sqlite3_stmt* names = prepare("select name from sqlite_master where type = 'table'");
    while (next(names)) {
        const std::string name = text(names, 0);
        tables_[name] = prepare("select * from \"" + name + '"');
    }
    sqlite3_finalize(names);
}

Contents::~Contents() {
    for (const auto& [name, statement] : tables_) sqlite3_finalize(statement);
    sqlite3_finalize(version_);
    sqlite3_close(db_);
}

const Contents::Digests& Contents::digests() {
    // Changes with every commit of another connection, even of one that left all as it was.
    std::int64_t version = 0;
    while (next(version_)) version = sqlite3_column_int64(version_, 0);
    if (std::exchange(read_at_, version) != version) {
        for (const auto& [name, statement] : tables_) digests_[name] = digest(statement);
    }
    return digests_;
}

sqlite3_stmt* Contents::prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
        throw std::runtime_error(sql + ": " + sqlite3_errmsg(db_));
    }
    return statement;
}

std::string differences(const Contents::Digests& a, const Contents::Digests& b) {
    std::string names;
    for (const auto& [name, digest] : a) {
        if (b.at(name) != digest) names += ' ' + name;
    }
    return names;
}

}  // namespace paperclip::test
