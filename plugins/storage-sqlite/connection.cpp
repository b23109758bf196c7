#include "connection.hpp"

#include <Poco/Data/SQLite/Utility.h>
#include <algorithm>
#include <cctype>
#include <vector>

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::sqlite {

using sdk::Failure;

pc_status classify(int code) noexcept {
    if (code == SQLITE_IOERR_NOMEM) return PC_RETRY;
    switch (code & 0xff) {
        case SQLITE_OK:
        case SQLITE_ROW:
        case SQLITE_DONE:
            return PC_OK;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
        case SQLITE_PROTOCOL:
        case SQLITE_SCHEMA:
        case SQLITE_ABORT:
            return PC_RETRY;
        case SQLITE_INTERRUPT:
            return PC_TIMEOUT;
        case SQLITE_FULL:
            return PC_FULL;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return PC_READ_ONLY;
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
            return PC_IO;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return PC_CORRUPT;
        case SQLITE_CONSTRAINT:
            return PC_CONSTRAINT;
        default:
            return PC_INVALID;
    }
}

void fail(sqlite3* handle, std::string_view what) {
    const int code = sqlite3_extended_errcode(handle);
    const pc_status status = classify(code);
    throw Failure(status == PC_OK ? PC_ERROR : status,
                  std::string(what) + ": " + sqlite3_errmsg(handle), code);
}

void Texts::put(const pc_statement& statement) {
    const std::lock_guard lock(mutex_);
    by_id_[statement.id] = std::make_shared<const Text>(
        Text{std::string(sdk::view(statement.name)), std::string(sdk::view(statement.sql)),
             statement.parameter_count, (statement.flags & PC_STATEMENT_READ) != 0, ++generation_});
}

std::shared_ptr<const Texts::Text> Texts::get(std::uint32_t id) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) {
        throw Failure(PC_INVALID, "statement " + std::to_string(id) + " is not catalogued");
    }
    return found->second;
}

namespace {

/// SQLite prepares a statement anew when a migration has changed the schema, and gives up when that
/// happens again meanwhile.
constexpr int k_schema_tries = 10;

Poco::Data::Session open_session(const std::string& path) {
    // Poco would try again for a minute.
    constexpr std::size_t k_no_patience = 0;
    try {
        return {"SQLite", path, k_no_patience};
    } catch (const Poco::Exception& e) {
        throw Failure(PC_IO, "cannot open " + path + ": " + e.displayText(), e.code());
    }
}

/// Without the write-ahead log readers and the writer would wait for each other, and checkpoints
/// would mean nothing.
void use_write_ahead_log(sqlite3* handle) {
    std::string mode;
    const auto take = [](void* out, int, char** values, char**) {
        static_cast<std::string*>(out)->assign(values[0]);
        return 0;
    };
    if (sqlite3_exec(handle, "pragma journal_mode = wal", take, &mode, nullptr) != SQLITE_OK) {
        fail(handle, "journal_mode");
    }
    if (mode != "wal") throw Failure(PC_IO, "SQLite cannot keep a write-ahead log here: " + mode);
}

}  // namespace

Connection::Connection(const std::string& path, Role role, const Texts& texts)
    : session_(open_session(path)),
      handle_(Poco::Data::SQLite::Utility::dbHandle(session_)),
      texts_(texts) {
    sqlite3_extended_result_codes(handle_, 1);
    wait_for_locks(true);
    execute("pragma foreign_keys = on");
    if (role == Role::reader) {
        execute("pragma query_only = on");
        return;
    }
    use_write_ahead_log(handle_);
    // Every commit is on the disk before it is acknowledged; group commit pays for it once a group.
    execute("pragma synchronous = full");
    // Checkpoints are made beside the writer, by size: see Writer.
    execute("pragma wal_autocheckpoint = 0");
    execute("pragma journal_size_limit = 67108864");
    execute("pragma cache_size = -16000");
    // Each unit is a savepoint, and what that keeps to undo it would go through a file.
    execute("pragma temp_store = memory");
}

Connection::~Connection() {
    for (auto& [id, prepared] : prepared_) sqlite3_finalize(prepared.statement);
    for (auto* control : controls_) sqlite3_finalize(control);
}

void Connection::run(Control control) {
    static constexpr std::array<const char*, 5> k_texts{"begin immediate", "commit", "savepoint u",
                                                        "rollback to u", "release u"};
    const auto index = static_cast<std::size_t>(control);
    sqlite3_stmt*& statement = controls_[index];
    if (statement == nullptr &&
        sqlite3_prepare_v3(handle_, k_texts[index], -1, SQLITE_PREPARE_PERSISTENT, &statement,
                           nullptr) != SQLITE_OK) {
        fail(handle_, k_texts[index]);
    }
    const bool done = sqlite3_step(statement) == SQLITE_DONE;
    if (sqlite3_reset(statement) != SQLITE_OK || !done) fail(handle_, k_texts[index]);
}

void Connection::execute(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(handle_, sql);
}

void Connection::wait_for_locks(bool wait) {
    sqlite3_busy_timeout(handle_, wait ? 5'000 : 0);
}

namespace {

/// Keeps a script inside of its transaction: one that ended it half-way could not be undone.
class OneTransaction {
 public:
    explicit OneTransaction(sqlite3* handle) : handle_(handle) {
        sqlite3_set_authorizer(
            handle_,
            [](void*, int action, const char*, const char*, const char*, const char*) {
                return action == SQLITE_TRANSACTION ? SQLITE_DENY : SQLITE_OK;
            },
            nullptr);
    }
    ~OneTransaction() { sqlite3_set_authorizer(handle_, nullptr, nullptr); }
    OneTransaction(const OneTransaction&) = delete;
    OneTransaction& operator=(const OneTransaction&) = delete;

 private:
    sqlite3* handle_;
};

bool is_space(unsigned char c) {
    return std::isspace(c) != 0;
}

}  // namespace

void Connection::run_script(const std::string& script) {
    const OneTransaction one(handle_);
    const char* const begin = script.c_str();
    const char* const end = begin + script.size();
    const auto line_of = [&](const char* place) {
        return "script, line " + std::to_string(1 + std::count(begin, place, '\n'));
    };
    for (const char* text = begin; text < end;) {
        text = std::find_if_not(text, end, is_space);
        sqlite3_stmt* statement = nullptr;
        const char* rest = end;
        const int code = sqlite3_prepare_v2(handle_, text, -1, &statement, &rest);
        if (code == SQLITE_AUTH) {
            throw Failure(PC_INVALID, line_of(text) +
                                          ": a script runs in one transaction of its own and may "
                                          "not begin or end one");
        }
        if (code != SQLITE_OK)
            fail(handle_, line_of(text + std::max(0, sqlite3_error_offset(handle_))));
        while (statement != nullptr && sqlite3_step(statement) == SQLITE_ROW) {
        }
        if (sqlite3_finalize(statement) != SQLITE_OK) fail(handle_, line_of(text));
        text = rest;
    }
}

std::int64_t Connection::pragma(const char* name) {
    sqlite3_stmt* statement = nullptr;
    const std::string sql = std::string("pragma ") + name;
    if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
        fail(handle_, sql);
    const std::int64_t value =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return value;
}

Connection::Prepared& Connection::prepare(std::uint32_t id) {
    auto text = texts_.get(id);
    Prepared& prepared = prepared_[id];
    if (prepared.statement != nullptr && prepared.generation == text->generation) return prepared;
    sqlite3_finalize(std::exchange(prepared.statement, nullptr));
    const char* rest = nullptr;
    int code = SQLITE_SCHEMA;
    for (int tries = 0; code == SQLITE_SCHEMA && tries < k_schema_tries; ++tries) {
        code = sqlite3_prepare_v3(handle_, text->sql.data(), static_cast<int>(text->sql.size()),
                                  SQLITE_PREPARE_PERSISTENT, &prepared.statement, &rest);
    }
    if (code != SQLITE_OK) fail(handle_, text->name);
    if (prepared.statement == nullptr || rest != text->sql.data() + text->sql.size()) {
        sqlite3_finalize(std::exchange(prepared.statement, nullptr));
        throw Failure(PC_INVALID, text->name + ": expected exactly one statement");
    }
    prepared.real.clear();
    const bool returning = sqlite3_stmt_readonly(prepared.statement) == 0;
    for (int i = 0; returning && i < sqlite3_column_count(prepared.statement); ++i) {
        const char* type = sqlite3_column_decltype(prepared.statement, i);
        if (type != nullptr && sqlite3_stricmp(type, "real") == 0) prepared.real.push_back(i);
    }
    prepared.generation = text->generation;
    prepared.text = std::move(text);
    return prepared;
}

namespace {

void bind(sqlite3* handle, sqlite3_stmt* statement, int position, const pc_value& value) {
    const auto bytes = sdk::view(value.bytes);
    const char* const data = bytes.empty() ? "" : bytes.data();
    int code = SQLITE_OK;
    switch (value.type) {
        case PC_VALUE_NULL:
            code = sqlite3_bind_null(statement, position);
            break;
        case PC_VALUE_INTEGER:
            code = sqlite3_bind_int64(statement, position, value.integer);
            break;
        case PC_VALUE_REAL:
            code = sqlite3_bind_double(statement, position, value.real);
            break;
        case PC_VALUE_TEXT:
            code = sqlite3_bind_text64(statement, position, data, bytes.size(), SQLITE_STATIC,
                                       SQLITE_UTF8);
            break;
        case PC_VALUE_BLOB:
            code = sqlite3_bind_blob64(statement, position, data, bytes.size(), SQLITE_STATIC);
            break;
        default:
            throw Failure(PC_INVALID, "parameter " + std::to_string(position) + ": unknown type " +
                                          std::to_string(value.type));
    }
    if (code != SQLITE_OK) fail(handle, "parameter " + std::to_string(position));
}

pc_value column(sqlite3_stmt* statement, int i) {
    pc_value value{};
    switch (sqlite3_column_type(statement, i)) {
        case SQLITE_INTEGER:
            value.type = PC_VALUE_INTEGER;
            value.integer = sqlite3_column_int64(statement, i);
            break;
        case SQLITE_FLOAT:
            value.type = PC_VALUE_REAL;
            value.real = sqlite3_column_double(statement, i);
            break;
        case SQLITE_TEXT:
            value.type = PC_VALUE_TEXT;
            value.bytes.data = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
            value.bytes.size = static_cast<std::uint64_t>(sqlite3_column_bytes(statement, i));
            break;
        case SQLITE_BLOB:
            value.type = PC_VALUE_BLOB;
            value.bytes.data = static_cast<const char*>(sqlite3_column_blob(statement, i));
            value.bytes.size = static_cast<std::uint64_t>(sqlite3_column_bytes(statement, i));
            break;
        default:
            break;
    }
    return value;
}

void make_real(pc_value& value) {
    if (value.type != PC_VALUE_INTEGER) return;
    value.type = PC_VALUE_REAL;
    value.real = static_cast<double>(value.integer);
}

/// Gives a cached statement back as it was found, whatever happened meanwhile.
struct Reset {
    sqlite3_stmt* statement;
    ~Reset() {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
    }
};

}  // namespace

std::int64_t Connection::run(
    std::uint32_t id, const pc_value* values, std::uint32_t count,
    const std::function<std::int32_t(const pc_value*, std::uint32_t)>& row) {
    const Prepared& prepared = prepare(id);
    sqlite3_stmt* const statement = prepared.statement;
    if (static_cast<int>(count) != sqlite3_bind_parameter_count(statement)) {
        throw Failure(PC_INVALID,
                      prepared.text->name + ": " + std::to_string(count) + " values for " +
                          std::to_string(sqlite3_bind_parameter_count(statement)) + " parameters");
    }
    const Reset reset{statement};
    for (std::uint32_t i = 0; i < count; ++i) {
        bind(handle_, statement, static_cast<int>(i) + 1, values[i]);
    }
    const int columns = sqlite3_column_count(statement);
    std::vector<pc_value> cells(static_cast<std::size_t>(columns));
    std::int64_t rows = 0;
    int code = SQLITE_OK;
    for (int tries = 0;;) {
        code = sqlite3_step(statement);
        if (code == SQLITE_SCHEMA && rows == 0 && ++tries < k_schema_tries) {
            sqlite3_reset(statement);
            continue;
        }
        if (code != SQLITE_ROW) break;
        ++rows;
        if (!row) continue;
        for (int i = 0; i < columns; ++i) cells[static_cast<std::size_t>(i)] = column(statement, i);
        for (const int i : prepared.real) make_real(cells[static_cast<std::size_t>(i)]);
        if (row(cells.data(), static_cast<std::uint32_t>(columns)) != 0) return rows;
    }
    if (code != SQLITE_DONE) fail(handle_, prepared.text->name);
    return columns > 0 ? rows : sqlite3_changes64(handle_);
}

}  // namespace paperclip::sqlite
