#pragma once

#include "connection.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace paperclip::sqlite {

/// Moves the write-ahead log into the database beside the writer, when asked to. Thread-safe.
class Checkpointer {
 public:
    explicit Checkpointer(const std::string& path);
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;

    void request();
    /// While it is held no checkpoint runs here: SQLite lets one run at a time and refuses others.
    [[nodiscard]] std::unique_lock<std::mutex> pause() { return std::unique_lock(running_); }

 private:
    void work();

    Texts none_;
    Connection connection_;
    std::mutex running_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool wanted_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace paperclip::sqlite
