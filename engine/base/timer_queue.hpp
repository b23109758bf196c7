#pragma once

#include "engine/base/clock.hpp"
#include "engine/base/executor.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
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
    /// Runs every entry that is due at `now`, earliest first, after `starts` has heard when it was
    /// due. Returns how many.
    std::size_t run_due(Time now, const std::function<void(Time due)>& starts = {});
    [[nodiscard]] std::size_t size() const;

 private:
    friend class TimerThread;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<Handle, Task> entries_;
    std::uint64_t next_serial_ = 1;
};

/// The engine's timer thread: calls run_due() whenever something is due by `clock`, and tells
/// `started_late` of each entry by how much.
class TimerThread {
 public:
    using StartedLate = std::function<void(Duration)>;
    TimerThread(TimerQueue& queue, const Clock& clock, StartedLate started_late);
    ~TimerThread();

 private:
    void work();

    TimerQueue& queue_;
    const Clock& clock_;
    StartedLate started_late_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace paperclip
