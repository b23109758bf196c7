#include "store.hpp"

#include "backup.hpp"

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

/// Locks and shared memory do not work, or lie, on file systems of other machines.
void refuse_network_file_system(const fs::path& folder) {
    struct statfs info {};
    if (::statfs(folder.c_str(), &info) != 0) return;
    // NFS, SMB in three versions, AFS, 9P, Ceph, Lustre, GPFS.
    constexpr std::array<unsigned, 9> k_network{0x6969u,     0x517bu,     0xff534d42u,
                                                0xfe534d42u, 0x5346414fu, 0x01021997u,
                                                0x00c36400u, 0x0bd00bd0u, 0x47504653u};
    if (std::find(k_network.begin(), k_network.end(), static_cast<unsigned>(info.f_type)) !=
        k_network.end()) {
        throw Failure(PC_ERROR, folder.string() +
                                    " is on a network file system, where SQLite can lose data; "
                                    "choose a folder on a local disk");
    }
}

std::string private_file(const fs::path& path) {
    create_private(path);
    return path.string();
}

/// More than processors: one that holds a connection may have to wait for a processor, and those
/// who want to read should not have to wait with it.
std::size_t reader_limit() {
    return 4 * std::max(2u, std::thread::hardware_concurrency());
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
    if (fd_ < 0) throw system_failure("cannot create " + path, errno);
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    const int error = errno;
    ::close(fd_);
    if (error != EWOULDBLOCK) throw system_failure("cannot lock " + path, error);
    throw Failure(PC_BUSY,
                  database.string() +
                      " is in use by another engine; stop that one, or use another data folder");
}

FileLock::~FileLock() {
    ::close(fd_);
}

Readers::Readers(std::string path, const Texts& texts, std::size_t limit)
    : path_(std::move(path)), texts_(texts), limit_(limit) {}

std::unique_ptr<Connection> Readers::take(SteadyTime deadline) {
    std::unique_lock lock(mutex_);
    const auto free = [&] { return !idle_.empty() || made_ < limit_; };
    if (deadline == SteadyTime::max()) {
        returned_.wait(lock, free);
    } else if (!returned_.wait_until(lock, deadline, free)) {
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
            returned_.notify_one();  // somebody else may try
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
      writer_(private_file(path), texts_),
      readers_(path.string(), texts_, reader_limit()) {}

void Store::catalogue(const pc_statement* statements, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) texts_.put(statements[i]);
}

bool Store::submit(const pc_unit& unit) {
    if (unit.step_count > k_max_steps) {
        throw Failure(PC_INVALID, "a unit of " + std::to_string(unit.step_count) +
                                      " steps; at most " + std::to_string(k_max_steps));
    }
    if (unit.id.size > k_max_id) {
        throw Failure(PC_INVALID, "a unit id of " + std::to_string(unit.id.size) +
                                      " bytes; at most " + std::to_string(k_max_id));
    }
    return writer_.submit(unit);
}

void Store::query(const pc_query& query) {
    struct Deadline {
        SteadyTime at;
        sqlite3* handle = nullptr;
        ~Deadline() { sqlite3_progress_handler(handle, 0, nullptr, nullptr); }
    };
    const SteadyTime at = deadline_after(query.timeout_us);
    const Readers::Lease reader(readers_, readers_.take(at));
    Deadline deadline{at, reader->handle()};
    if (at != SteadyTime::max()) {
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
        connection.run_script(script);
        connection.run(Control::commit);
    });
}

void Store::checkpoint() {
    writer_.exclusive([&](Connection&) { writer_.truncate_log(); });
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
    backup_database(path_, target);
}

}  // namespace paperclip::sqlite
