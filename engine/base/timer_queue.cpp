#include "engine/base/timer_queue.hpp"

#include "engine/base/log.hpp"

#include <algorithm>
#include <pthread.h>

namespace paperclip {

TimerQueue::Handle TimerQueue::at(Time time, Task task) {
    Handle handle;
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        handle = {time, next_serial_++};
        first = entries_.emplace(handle, std::move(task)).first == entries_.begin();
    }
    if (first) changed_.notify_all();
    return handle;
}

bool TimerQueue::cancel(const Handle& handle) {
    const std::lock_guard lock(mutex_);
    return entries_.erase(handle) > 0;
}

std::optional<Time> TimerQueue::next_due() const {
    const std::lock_guard lock(mutex_);
    if (entries_.empty()) return std::nullopt;
    return entries_.begin()->first.first;
}

std::size_t TimerQueue::run_due(Time now, const std::function<void(Time due)>& starts) {
    std::size_t count = 0;
    for (;; ++count) {
        std::map<Handle, Task>::node_type entry;
        {
            const std::lock_guard lock(mutex_);
            if (entries_.empty() || entries_.begin()->first.first > now) return count;
            entry = entries_.extract(entries_.begin());
        }
        try {
            if (starts) starts(entry.key().first);
            entry.mapped()();
        } catch (const std::exception& e) {
            log_error("timer task failed", {{"error", e.what()}});
        }
    }
}

std::size_t TimerQueue::size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

TimerThread::TimerThread(TimerQueue& queue, const Clock& clock, StartedLate started_late)
    : queue_(queue),
      clock_(clock),
      started_late_(std::move(started_late)),
      thread_([this] { work(); }) {}

TimerThread::~TimerThread() {
    {
        const std::lock_guard lock(queue_.mutex_);
        stopping_ = true;
    }
    queue_.changed_.notify_all();
    thread_.join();
}

void TimerThread::work() {
    pthread_setname_np(pthread_self(), "timers");
    // The clock may be set forward or back; looking at it again every second bounds the surprise.
    constexpr Duration longest_wait = std::chrono::seconds(1);
    for (;;) {
        {
            std::unique_lock lock(queue_.mutex_);
            if (stopping_) return;
            Duration wait = longest_wait;
            if (!queue_.entries_.empty()) {
                wait = std::min(wait, queue_.entries_.begin()->first.first - clock_.now());
            }
            if (wait > Duration::zero()) queue_.changed_.wait_for(lock, wait);
            if (stopping_) return;
        }
        queue_.run_due(clock_.now(), [this](Time due) { started_late_(clock_.now() - due); });
    }
}

}  // namespace paperclip
