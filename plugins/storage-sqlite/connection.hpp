#pragma once

#include <Poco/Data/Session.h>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <paperclip/draft/storage.h>
#include <shared_mutex>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace paperclip::sqlite {

/// The SQL texts by statement id, shared by all connections of a store. Thread-safe.
class Texts {
 public:
    struct Text {
        std::string name;
        std::string sql;
        std::uint32_t parameter_count = 0;
        bool read = false;
        std::uint64_t generation = 0;  ///< grows when an id gets a new text
    };
    void put(const pc_statement& statement);
    /// Throws sdk::Failure{PC_INVALID} for an id that nobody catalogued.
    [[nodiscard]] std::shared_ptr<const Text> get(std::uint32_t id) const;

 private:
    mutable std::shared_mutex mutex_;
    std::unordered_map<std::uint32_t, std::shared_ptr<const Text>> by_id_;
    std::uint64_t generation_ = 0;
};

/// The statements that open and close transactions, prepared once like the others.
enum class Control { begin, commit, savepoint, undo, release };

/// One SQLite connection: a Poco session for what is slow, its native handle and a cache of
/// prepared statements for what is not. Used by one thread at a time.
class Connection {
 public:
    enum class Role { writer, reader };

    Connection(const std::string& path, Role role, const Texts& texts);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Runs a catalogued statement to its end, or until `row` answers other than 0. Returns the
    /// number of rows returned or, for a statement that returns none, changed. Throws sdk::Failure.
    std::int64_t run(std::uint32_t statement, const pc_value* values, std::uint32_t count,
                     const std::function<std::int32_t(const pc_value*, std::uint32_t)>& row);
    void run(Control control);
    /// Runs plain SQL without results. Throws sdk::Failure.
    void execute(const char* sql);
    /// Runs the statements of a script, one after the other; a failure names the line.
    void run_script(const std::string& script);
    /// Whether a call waits, some seconds, for a lock that somebody else holds. It does at first.
    void wait_for_locks(bool wait);
    [[nodiscard]] std::int64_t pragma(const char* name);

    [[nodiscard]] sqlite3* handle() const noexcept { return handle_; }
    [[nodiscard]] bool in_transaction() const noexcept {
        return sqlite3_get_autocommit(handle_) == 0;
    }
    Poco::Data::Session& session() noexcept { return session_; }

 private:
    struct Prepared {
        sqlite3_stmt* statement = nullptr;
        std::uint64_t generation = 0;
        std::shared_ptr<const Texts::Text> text;
        /// Columns that are real though SQLite 3.40 hands out a whole number as an integer, which
        /// it does behind `returning`.
        std::vector<int> real;
    };
    Prepared& prepare(std::uint32_t id);

    Poco::Data::Session session_;
    sqlite3* handle_;
    const Texts& texts_;
    std::unordered_map<std::uint32_t, Prepared> prepared_;
    std::array<sqlite3_stmt*, 5> controls_{};
};

/// The ABI's word for a SQLite result code.
pc_status classify(int sqlite_code) noexcept;
/// Throws sdk::Failure for the last error of `handle`.
[[noreturn]] void fail(sqlite3* handle, std::string_view what);

}  // namespace paperclip::sqlite
