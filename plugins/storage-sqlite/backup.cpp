#include "backup.hpp"

#include "connection.hpp"
#include "store.hpp"

#include <Poco/SHA2Engine.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace paperclip::sqlite {

namespace fs = std::filesystem;
using sdk::Failure;

Failure system_failure(const std::string& what, int number) {
    pc_status status = PC_IO;
    if (number == EACCES || number == EPERM || number == EROFS) status = PC_READ_ONLY;
    if (number == ENOSPC || number == EDQUOT || number == EFBIG) status = PC_FULL;
    return {status, what + ": " + std::generic_category().message(number), number};
}

void create_private(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const int error = errno;
    if (fd >= 0) {
        ::close(fd);
    } else if (error != EEXIST) {
        throw system_failure("cannot create " + path.string(), error);
    }
}

namespace {

void sync_path(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool done = fd >= 0 && ::fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (!done) throw system_failure("cannot sync " + path.string(), error);
}

/// A file that is made beside its place: gone again unless it gets there.
class Temporary {
 public:
    explicit Temporary(fs::path path) : path_(std::move(path)) {
        remove();
        create_private(path_);
    }
    ~Temporary() { remove(); }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }
    void move_to(const fs::path& target) const {
        sync_path(path_);
        if (::rename(path_.c_str(), target.c_str()) != 0) {
            throw system_failure("cannot rename to " + target.string(), errno);
        }
        sync_path(target.parent_path());
    }

 private:
    void remove() const {
        std::error_code ignored;
        for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
            fs::remove(path_.string() + suffix, ignored);
        }
    }
    fs::path path_;
};

/// A connection outside of a store, without Poco and without caches; closed at the end.
struct Plain {
    sqlite3* handle = nullptr;

    Plain(const fs::path& path, int flags) {
        const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
        if (code != SQLITE_OK) {
            const std::string message = sqlite3_errmsg(handle);
            sqlite3_close(handle);
            throw Failure(classify(code), "cannot open " + path.string() + ": " + message, code);
        }
        sqlite3_extended_result_codes(handle, 1);
        sqlite3_busy_timeout(handle, 5'000);
    }
    ~Plain() { sqlite3_close(handle); }
    Plain(const Plain&) = delete;
    Plain& operator=(const Plain&) = delete;

    void execute(const char* sql) const {
        if (sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(handle, sql);
    }
};

/// Copies one database to a new file, page by page, in one read transaction: pages that change
/// meanwhile do not restart it.
void copy_database(const Plain& from, const fs::path& target) {
    const Plain to(target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    to.execute("pragma synchronous = off");  // it is synced as a whole before it counts
    from.execute("begin; select 1 from sqlite_master");
    sqlite3_backup* backup = sqlite3_backup_init(to.handle, "main", from.handle, "main");
    if (backup == nullptr) fail(to.handle, "backup");
    int code = SQLITE_OK;
    while (code == SQLITE_OK) code = sqlite3_backup_step(backup, 1024);
    const int finished = sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE || finished != SQLITE_OK) {
        const int why = code == SQLITE_DONE ? finished : code;
        throw Failure(classify(why), std::string("backup: ") + sqlite3_errstr(why), why);
    }
    // One file that needs no company, which a database in WAL mode does.
    to.execute("pragma journal_mode = delete");
}

constexpr std::string_view k_seal = "\npaperclip backup, sha256 ";
constexpr std::size_t k_seal_bytes = k_seal.size() + 64 + 1;

std::string seal_of(std::istream& file, std::uintmax_t bytes) {
    Poco::SHA2Engine digest(Poco::SHA2Engine::SHA_256);
    std::vector<char> buffer(1 << 20);
    while (bytes > 0) {
        const auto wanted = std::min<std::uintmax_t>(bytes, buffer.size());
        if (!file.read(buffer.data(), static_cast<std::streamsize>(wanted))) {
            throw Failure(PC_IO, "a backup cannot be read");
        }
        digest.update(buffer.data(), static_cast<std::size_t>(wanted));
        bytes -= wanted;
    }
    return std::string(k_seal) + Poco::DigestEngine::digestToHex(digest.digest()) + "\n";
}

void seal(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text = seal_of(in, fs::file_size(path));
    const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    const auto written = fd < 0 ? -1 : ::write(fd, text.data(), text.size());
    const int error = written < 0 ? errno : ENOSPC;
    if (fd >= 0) ::close(fd);
    if (written != static_cast<ssize_t>(text.size())) {
        throw system_failure("cannot write " + path.string(), error);
    }
}

void check_seal(const fs::path& path) {
    std::error_code error;
    const auto size = fs::file_size(path, error);
    std::ifstream file(path, std::ios::binary);
    if (error || !file) {
        throw system_failure("cannot read " + path.string(), error ? error.value() : errno);
    }
    std::string found(k_seal_bytes, '\0');
    if (size > k_seal_bytes) {
        const auto pages = size - k_seal_bytes;
        const std::string expected = seal_of(file, pages);
        file.read(found.data(), static_cast<std::streamsize>(found.size()));
        if (found == expected) return;
    }
    throw Failure(PC_CORRUPT, path.string() + (found.starts_with(k_seal)
                                                   ? " is damaged: its bytes have changed"
                                                   : " is no whole backup: its end is missing"));
}

/// Brings an old database to rest: its write-ahead log belongs to it alone, and a crash between
/// here and the rename must not lay it over the new one.
void settle_old(const fs::path& path) {
    if (!fs::exists(path)) return;
    try {
        const Plain old(path, SQLITE_OPEN_READWRITE);
        old.execute("pragma journal_mode = delete");
    } catch (const Failure& failure) {
        if (failure.status() != PC_CORRUPT) throw;
        // Nothing can be made of what is damaged.
    }
    for (const char* suffix : {"-wal", "-shm", "-journal"}) fs::remove(path.string() + suffix);
    sync_path(path.parent_path());
}

}  // namespace

void backup_database(const fs::path& path, const fs::path& target) {
    if (fs::exists(target)) throw Failure(PC_INVALID, target.string() + " exists already");
    const Temporary temporary(target.string() + ".tmp");
    copy_database(Plain(path, SQLITE_OPEN_READWRITE), temporary.path());
    seal(temporary.path());
    temporary.move_to(target);
}

void verify_backup(const fs::path& path) {
    check_seal(path);
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
    verify_backup(backup);
    const Temporary temporary(path.string() + ".restore");
    copy_database(Plain(backup, SQLITE_OPEN_READONLY), temporary.path());
    settle_old(path);
    temporary.move_to(path);
}

}  // namespace paperclip::sqlite
