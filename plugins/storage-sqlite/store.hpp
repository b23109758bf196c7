#pragma once

#include "connection.hpp"
#include "writer.hpp"

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace paperclip::sqlite {

/// Keeps the store to one engine: an flock on `<db>.lock` for as long as it lives. The lock goes
/// with the process, however that ends. Throws sdk::Failure{PC_BUSY}.
class FileLock {
 public:
    explicit FileLock(const std::filesystem::path& database);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

 private:
    int fd_;
};

/// Lends reader connections, one per core, to the threads that query. Thread-safe.
class Readers {
 public:
    Readers(std::string path, const Texts& texts, std::size_t limit);

    class Lease {
     public:
        Lease(Readers& readers, std::unique_ptr<Connection> connection)
            : readers_(readers), connection_(std::move(connection)) {}
        ~Lease() { readers_.give_back(std::move(connection_)); }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        Connection* operator->() const { return connection_.get(); }

     private:
        Readers& readers_;
        std::unique_ptr<Connection> connection_;
    };
    /// Waits for a free connection. Throws sdk::Failure{PC_TIMEOUT}.
    std::unique_ptr<Connection> take(SteadyTime deadline);
    void give_back(std::unique_ptr<Connection> connection);

 private:
    const std::string path_;
    const Texts& texts_;
    const std::size_t limit_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Connection>> idle_;
    std::size_t made_ = 0;
};

/// One open database.
class Store {
 public:
    explicit Store(const std::filesystem::path& path);

    static constexpr std::uint32_t k_max_steps = 20'000;
    static constexpr std::uint64_t k_max_id = 64;

    void catalogue(const pc_statement* statements, std::uint32_t count);
    /// False when the store is closing. Throws sdk::Failure{PC_INVALID}.
    bool submit(const pc_unit& unit);
    void query(const pc_query& query);
    void exec_script(const std::string& script);
    void checkpoint();
    [[nodiscard]] std::string health();
    void backup(const std::filesystem::path& target);

 private:
    std::filesystem::path path_;
    FileLock lock_;
    Texts texts_;
    Writer writer_;
    Readers readers_;
};

}  // namespace paperclip::sqlite
