#pragma once

#include "engine/base/files.hpp"
#include "engine/pluginhost/process.hpp"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace paperclip::pluginhost {

/// A shim's process, and the socket on which it hears what to do. When that is closed it goes,
/// after the run that it is at.
struct Shim {
    ProcessIdentity process;
    UniqueFd socket;
};

/// Shims that nobody needs at the moment, some of them started ahead: a run does not wait for a
/// process to begin, and a short one costs one process less. Owns one thread, which sees to it that
/// there are a few. Thread-safe.
class ReadyShims {
 public:
    /// `program`: paperclip-shim. Throws Error{unavailable} when it is not there.
    explicit ReadyShims(std::filesystem::path program);
    ~ReadyShims();
    ReadyShims(const ReadyShims&) = delete;
    ReadyShims& operator=(const ReadyShims&) = delete;

    /// Tells a shim what to do; returns when it has understood, and waits for k_go. Throws
    /// Error{unavailable}.
    Shim brief(const std::filesystem::path& folder, const shim::Spec& spec);
    /// Takes a shim whose run has ended, by its own word, for another run of the same owner.
    void give_back(Shim shim, std::string owner);

    [[nodiscard]] const std::filesystem::path& program() const { return program_; }

    static constexpr std::size_t k_started_ahead = 2;
    static constexpr std::size_t k_most_used = 64;

 private:
    struct Used {
        Shim shim;
        std::string owner;
    };
    [[nodiscard]] Shim start() const;
    std::optional<Shim> take(const std::string& owner);
    void work();

    const std::filesystem::path program_;
    std::mutex mutex_;
    std::condition_variable taken_;
    std::vector<Shim> fresh_;
    std::deque<Used> used_;  // the one that was used last is at the end, and is used next
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace paperclip::pluginhost
