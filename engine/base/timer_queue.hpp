#pragma once

#include "engine/base/clock.hpp"
#include "engine/base/executor.hpp"

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace paperclip {

/// All that shall happen at a point in time, in one ordered queue: heartbeats, cron, retries,
/// deadlines. Thread-safe. It runs nothing by itself: a TimerThread, or a simulation, calls
/// run_due().
class TimerQueue {
 public:
    /// Names one entry; the default names none.
    using Handle = std::pair<Time, std::uint64_t>;

    /// `task` runs once, on the thread that calls run_due(), at or after `time`.
    Handle at(Time time, Task task);
    /// The entry will not run; false when it has run, is running or never was.
    bool cancel(const Handle& handle);

    [[nodiscard]] std::optional<Time> next_due() const;
    /// Runs every entry that is due at `now`, earliest first. Returns how many.
    std::size_t run_due(Time now);
    [[nodiscard]] std::size_t size() const;

 private:
    friend class TimerThread;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<Handle, Task> entries_;
    std::uint64_t next_serial_ = 1;
};

/// The engine's timer thread: calls run_due() whenever something is due by `clock`.
class TimerThread {
 public:
    TimerThread(TimerQueue& queue, const Clock& clock);
    ~TimerThread();

 private:
    void work();

    TimerQueue& queue_;
    const Clock& clock_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace paperclip
