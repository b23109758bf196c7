#pragma once

#include "engine/base/clock.hpp"
#include "engine/pluginhost/shim_protocol.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace paperclip::pluginhost {

/// A process that can be told from every other one that ever had its pid.
struct ProcessIdentity {
    std::int64_t pid = 0;
    std::int64_t start_ticks = 0;  ///< field 22 of /proc/<pid>/stat
    std::string boot_id;           ///< of the kernel that runs it
};

/// The programs of runs. Each lives in a folder of its own, under a shim that outlives the engine;
/// the folder is its name. Thread-safe.
///
/// prepare() → (the caller stores the identity) → go() executes the program, once. A caller that
/// dies before go() leaves nothing behind. Calls about one folder do not overlap, but for
/// watch()'s.
class Children {
 public:
    virtual ~Children() = default;

    /// Starts a shim that waits in `folder`. Throws Error{unavailable}.
    virtual ProcessIdentity prepare(const std::filesystem::path& folder,
                                    const shim::Spec& spec) = 0;
    virtual void go(const std::filesystem::path& folder) = 0;
    /// Gives a prepared program up: its shim goes without executing it.
    virtual void abandon(const std::filesystem::path& folder) = 0;

    enum class State {
        never_started,  ///< not executed, and nothing is left that could
        running,
        ended,  ///< exit() has how
        lost,   ///< may have been executed; nobody knows how it ended
    };
    virtual State state(const std::filesystem::path& folder, const ProcessIdentity& identity) = 0;
    /// Waits until a shim that an earlier engine left has made up its mind: it has executed its
    /// program, or it is gone. Only then does state() say for certain that nothing was started.
    virtual void settle(const std::filesystem::path& folder, const ProcessIdentity& identity) = 0;
    virtual std::optional<shim::Exit> exit(const std::filesystem::path& folder) = 0;

    /// Does nothing to a program that has ended.
    virtual void order(const std::filesystem::path& folder, const ProcessIdentity& identity,
                       shim::Order order) = 0;
    /// Ends what a lost program left running: the processes that were started with `variable`
    /// ("NAME=value") in their environment. Returns how many there were.
    virtual int end_strays(std::string_view variable) = 0;

    /// Calls `changed`, on a thread of its own and perhaps for nothing, when there is new output or
    /// the shim has ended, until unwatch() returns.
    virtual void watch(const std::filesystem::path& folder, const ProcessIdentity& identity,
                       std::function<void()> changed) = 0;
    virtual void unwatch(const std::filesystem::path& folder) = 0;

    /// One piece of output; `bytes` is borrowed.
    struct Output {
        int stream = 0;
        Time at;
        std::string_view bytes;
    };
    /// Visits the output from `offset` on, at most about `limit` bytes; returns the offset after
    /// it.
    virtual std::int64_t read_output(const std::filesystem::path& folder, std::int64_t offset,
                                     std::int64_t limit,
                                     const std::function<void(const Output&)>& visit) = 0;

    /// Appends to what the program reads; `end`: nothing more will come.
    virtual void write_input(const std::filesystem::path& folder, std::string_view bytes,
                             bool end) = 0;
    /// How many bytes of input were ever written.
    virtual std::int64_t input_size(const std::filesystem::path& folder) = 0;
};

}  // namespace paperclip::pluginhost
