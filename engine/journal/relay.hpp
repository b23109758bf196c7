#pragma once

#include "engine/base/executor.hpp"
#include "engine/base/timer_queue.hpp"
#include "engine/journal/journal.hpp"
#include "engine/storage/store.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace paperclip::journal {

/// Somebody who works through all records of every company, in order, each at least once: after a
/// crash it sees again what it had seen since its cursor was saved, so what it does with a record
/// must be safe to repeat.
class Consumer {
 public:
    virtual ~Consumer() = default;
    /// Under which its cursors are kept.
    [[nodiscard]] virtual std::string name() const = 0;
    /// Records of one company, contiguous, in order. On a worker thread, never twice at once.
    /// When it throws it gets the same records again later.
    virtual void consume(std::span<const Record> records) = 0;
};

/// Numbers committed records and passes them on. Everything durable that anybody hears of the
/// engine's state comes through here, after its commit. Thread-safe; lives as long as the engine.
class Relay {
 public:
    /// `linger`: how long a record may wait for others before they are numbered together, in one
    /// commit instead of one for each.
    Relay(storage::Store& store, Executor& executor, TimerQueue& timers, const Clock& clock,
          Duration linger);

    /// Somebody who only wants what is numbered from now on (live streams). On a worker thread.
    using Listener = std::function<void(std::span<const Record>)>;

    /// Both before start().
    void add_consumer(Consumer& consumer);
    void add_listener(Listener listener) { listeners_.push_back(std::move(listener)); }

    /// Numbers what an earlier engine left, and catches the consumers up; returns at once.
    void start();
    /// There are new records. Cheap; callable from anywhere.
    void wake();
    /// Numbers what lingers and saves the consumers' cursors. The executor must run until this
    /// returns; nothing may be appended meanwhile.
    void flush();

 private:
    class Feed;
    void number();
    bool number_batch();
    void retry_later();

    storage::Store& store_;
    Executor& executor_;
    TimerQueue& timers_;
    const Clock& clock_;
    const Duration linger_;
    Strand strand_;
    std::atomic<bool> wanted_{false};
    std::vector<Listener> listeners_;
    std::vector<std::shared_ptr<Feed>> feeds_;
};

/// The numbered records of a company after `seq`, at most `limit`.
std::vector<Record> records_after(storage::Store& store, const Id& company, std::int64_t seq,
                                  std::int64_t limit);
/// The first and the last number that a company's journal still has; 0, 0 if none.
std::pair<std::int64_t, std::int64_t> span_of(storage::Store& store, const Id& company);

}  // namespace paperclip::journal
