#include "store.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::sqlite {

namespace fs = std::filesystem;
using sdk::Failure;

namespace {

std::string errno_text(int number) {
    return std::generic_category().message(number);
}

/// Locks and shared memory do not work, or lie, on file systems of other machines.
void refuse_network_file_system(const fs::path& folder) {
    struct statfs info {};
    if (::statfs(folder.c_str(), &info) != 0) return;
    constexpr std::array<unsigned, 6> k_network{0x6969u,     0x517bu,     0xff534d42u,
                                                0xfe534d42u, 0x5346414fu, 0x01021997u};
    if (std::find(k_network.begin(), k_network.end(), static_cast<unsigned>(info.f_type)) !=
        k_network.end()) {
        throw Failure(PC_ERROR, folder.string() +
                                    " is on a network file system, where SQLite can lose data; "
                                    "choose a folder on a local disk");
    }
}

void sync_file(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool done = fd >= 0 && ::fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (!done)
        throw Failure(PC_IO, "cannot sync " + path.string() + ": " + errno_text(error), error);
}

void rename_durably(const fs::path& from, const fs::path& to) {
    sync_file(from);
    if (::rename(from.c_str(), to.c_str()) != 0) {
        throw Failure(PC_IO, "cannot rename to " + to.string() + ": " + errno_text(errno), errno);
    }
    sync_file(to.parent_path());
}

/// A connection outside of a store, without Poco and without caches; closed at the end.
struct Plain {
    sqlite3* handle = nullptr;

    Plain(const fs::path& path, int flags) {
        if (sqlite3_open_v2(path.c_str(), &handle, flags, nullptr) != SQLITE_OK) {
            const std::string message = sqlite3_errmsg(handle);
            sqlite3_close(handle);
            throw Failure(PC_IO, "cannot open " + path.string() + ": " + message);
        }
    }
    ~Plain() { sqlite3_close(handle); }
    Plain(const Plain&) = delete;
    Plain& operator=(const Plain&) = delete;
};

/// Copies one database into another with SQLite's online backup, page by page.
void copy_database(sqlite3* from, sqlite3* to) {
    sqlite3_backup* backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == nullptr) fail(to, "backup");
    int code = SQLITE_OK;
    do {
        code = sqlite3_backup_step(backup, 1024);
        if (code == SQLITE_BUSY || code == SQLITE_LOCKED) sqlite3_sleep(5);
    } while (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED);
    sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE) fail(to, "backup");
}

std::size_t reader_limit() {
    return std::max(2u, std::thread::hardware_concurrency());
}

std::uintmax_t size_or_zero(const fs::path& path) {
    std::error_code error;
    const auto size = fs::file_size(path, error);
    return error ? 0 : size;
}

}  // namespace

FileLock::FileLock(const fs::path& database) {
    refuse_network_file_system(database.parent_path());
    const std::string path = database.string() + ".lock";
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0)
        throw Failure(PC_READ_ONLY, "cannot create " + path + ": " + errno_text(errno), errno);
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        ::close(fd_);
        throw Failure(
            PC_BUSY, database.string() +
                         " is in use by another engine; stop that one, or use another data folder");
    }
}

FileLock::~FileLock() {
    ::close(fd_);
}

Readers::Readers(std::string path, const Texts& texts, std::size_t limit)
    : path_(std::move(path)), texts_(texts), limit_(limit) {}

std::unique_ptr<Connection> Readers::take(std::int64_t timeout_us) {
    std::unique_lock lock(mutex_);
    const auto free = [&] { return !idle_.empty() || made_ < limit_; };
    if (timeout_us <= 0) {
        returned_.wait(lock, free);
    } else if (!returned_.wait_for(lock, std::chrono::microseconds(timeout_us), free)) {
        throw Failure(PC_TIMEOUT, "no connection was free before the deadline");
    }
    if (idle_.empty()) {
        ++made_;
        lock.unlock();
        try {
            return std::make_unique<Connection>(path_, Connection::Role::reader, texts_);
        } catch (...) {
            lock.lock();
            --made_;
            throw;
        }
    }
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
}

void Readers::give_back(std::unique_ptr<Connection> connection) {
    {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(connection));
    }
    returned_.notify_one();
}

Store::Store(const fs::path& path)
    : path_(path),
      lock_(path),
      writer_(path.string(), texts_),
      readers_(path.string(), texts_, reader_limit()) {}

void Store::catalogue(const pc_statement* statements, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) texts_.put(statements[i]);
}

void Store::query(const pc_query& query) {
    const auto started = std::chrono::steady_clock::now();
    const Readers::Lease reader(readers_, readers_.take(query.timeout_us));
    struct Deadline {
        std::chrono::steady_clock::time_point at;
        sqlite3* handle;
        ~Deadline() { sqlite3_progress_handler(handle, 0, nullptr, nullptr); }
    } deadline{started + std::chrono::microseconds(query.timeout_us), reader->handle()};
    if (query.timeout_us > 0) {
        sqlite3_progress_handler(
            deadline.handle, 10'000,
            [](void* d) {
                return std::chrono::steady_clock::now() > static_cast<Deadline*>(d)->at ? 1 : 0;
            },
            &deadline);
    }
    reader->run(query.statement, query.values, query.value_count,
                [&](const pc_value* values, std::uint32_t count) {
                    return query.row(query.ctx, values, count);
                });
}

void Store::exec_script(const std::string& script) {
    writer_.exclusive([&](Connection& connection) {
        connection.run(Control::begin);
        connection.execute(script.c_str());
        connection.run(Control::commit);
    });
}

void Store::checkpoint() {
    writer_.exclusive([](Connection& connection) {
        sqlite3_wal_checkpoint_v2(connection.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                  nullptr);
    });
}

std::string Store::health() {
    const auto counters = writer_.counters();
    const auto number = [](const char* name, std::uintmax_t value) {
        return std::string("\"") + name + "\":" + std::to_string(value);
    };
    return "{" + number("databaseBytes", size_or_zero(path_)) + "," +
           number("logBytes", size_or_zero(path_.string() + "-wal")) + "," +
           number("units", counters.units) + "," + number("commits", counters.commits) + "," +
           number("queued", counters.queued) + "}";
}

void Store::backup(const fs::path& target) {
    if (fs::exists(target)) throw Failure(PC_INVALID, target.string() + " exists already");
    const fs::path temporary = target.string() + ".tmp";
    fs::remove(temporary);
    {
        const Plain from(path_, SQLITE_OPEN_READWRITE);
        sqlite3_busy_timeout(from.handle, 5000);
        const Plain to(temporary, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
        // One read transaction over the whole copy: pages that change meanwhile do not restart it.
        sqlite3_exec(from.handle, "begin; select 1 from sqlite_master", nullptr, nullptr, nullptr);
        copy_database(from.handle, to.handle);
        // A backup is one file that any SQLite opens: not in WAL mode, which wants company.
        sqlite3_exec(to.handle, "pragma journal_mode = delete", nullptr, nullptr, nullptr);
    }
    ::chmod(temporary.c_str(), 0600);
    rename_durably(temporary, target);
}

void verify_database(const fs::path& path) {
    const Plain database(path, SQLITE_OPEN_READONLY);
    std::string finding;
    const auto collect = [](void* out, int, char** values, char**) {
        if (std::strcmp(values[0], "ok") != 0) static_cast<std::string*>(out)->assign(values[0]);
        return 0;
    };
    if (sqlite3_exec(database.handle, "pragma integrity_check(1)", collect, &finding, nullptr) !=
        SQLITE_OK) {
        fail(database.handle, path.string());
    }
    const auto note = [](void* out, int, char** values, char**) {
        static_cast<std::string*>(out)->assign("a row of " + std::string(values[0]) +
                                               " refers to a missing row");
        return 0;
    };
    if (sqlite3_exec(database.handle, "pragma foreign_key_check", note, &finding, nullptr) !=
        SQLITE_OK) {
        fail(database.handle, path.string());
    }
    if (!finding.empty()) throw Failure(PC_CORRUPT, path.string() + " is damaged: " + finding);
}

void restore_database(const fs::path& path, const fs::path& backup) {
    const FileLock lock(path);
    verify_database(backup);
    const fs::path temporary = path.string() + ".restore";
    fs::remove(temporary);
    {
        const Plain from(backup, SQLITE_OPEN_READONLY);
        const Plain to(temporary, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
        copy_database(from.handle, to.handle);
    }
    ::chmod(temporary.c_str(), 0600);
    // The old write-ahead log belongs to the old database: folded into it first, so that no crash
    // between here and the rename can lay it over the new one.
    if (fs::exists(path)) {
        const Plain old(path, SQLITE_OPEN_READWRITE);
        if (sqlite3_exec(old.handle, "pragma journal_mode = delete", nullptr, nullptr, nullptr) !=
            SQLITE_OK) {
            fs::remove(path.string() + "-wal");
            fs::remove(path.string() + "-shm");
        }
    }
    rename_durably(temporary, path);
}

}  // namespace paperclip::sqlite
