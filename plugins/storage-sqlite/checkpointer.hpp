#pragma once

#include "connection.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace paperclip::sqlite {

/// Copies the write-ahead log into the database beside the writer, when asked to. Thread-safe.
class Checkpointer {
 public:
    explicit Checkpointer(const std::string& path);
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;

    /// Has a copy been made since this was last answered with yes? If not, one begins.
    bool copied();
    /// While it is held no checkpoint runs here: SQLite lets one run at a time and refuses others.
    [[nodiscard]] std::unique_lock<std::mutex> pause() { return std::unique_lock(running_); }

 private:
    void work();

    Texts none_;
    Connection connection_;
    std::mutex running_;
    std::mutex mutex_;
    std::condition_variable wake_;
    enum class Copy { none, wanted, made } copy_ = Copy::none;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace paperclip::sqlite
