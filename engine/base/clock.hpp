#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace paperclip {

using Duration = std::chrono::microseconds;
/// A point in time, UTC, in microseconds: the resolution in which it is stored.
using Time = std::chrono::sys_time<Duration>;

/// Where all time comes from. Thread-safe; lives as long as the engine.
class Clock {
 public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Time now() const noexcept = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
 public:
    [[nodiscard]] Time now() const noexcept override {
        return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    }
};

/// A clock that stands still until it is told otherwise: for tests and simulations.
class ManualClock final : public Clock {
 public:
    explicit ManualClock(Time start) noexcept : now_(start.time_since_epoch().count()) {}

    [[nodiscard]] Time now() const noexcept override { return Time{Duration{now_.load()}}; }
    void set(Time time) noexcept { now_.store(time.time_since_epoch().count()); }
    void advance(Duration by) noexcept { now_.fetch_add(by.count()); }

 private:
    std::atomic<Duration::rep> now_;
};

}  // namespace paperclip
