#include "engine/base/executor.hpp"
#include "engine/base/log.hpp"
#include "engine/base/redact.hpp"
#include "engine/base/timer_queue.hpp"

#include <atomic>
#include <stdexcept>
#include <vector>

#include <catch2/catch.hpp>

namespace paperclip {

using namespace std::chrono_literals;

TEST_CASE("a strand keeps order and never overlaps, on many threads") {
    const Redactor redactor;
    configure_log(LogFormat::text, LogLevel::off, redactor);
    WorkerPool pool("test", 4);
    constexpr int k_strands = 8;
    constexpr int k_tasks = 500;
    std::vector<std::vector<int>> seen(k_strands);
    std::atomic<int> overlaps{0};
    std::vector<std::atomic<int>> inside(k_strands);
    {
        std::vector<Strand> strands;
        for (int s = 0; s < k_strands; ++s) strands.emplace_back(pool);
        for (int i = 0; i < k_tasks; ++i) {
            for (int s = 0; s < k_strands; ++s) {
                strands[s].post([&, s, i] {
                    if (inside[s].fetch_add(1) != 0) ++overlaps;
                    seen[s].push_back(i);
                    inside[s].fetch_sub(1);
                    if (i % 7 == 0) throw std::runtime_error("a task may fail");
                });
            }
        }
    }
    pool.stop();
    CHECK(overlaps == 0);
    for (const auto& order : seen) {
        REQUIRE(order.size() == k_tasks);
        for (std::size_t i = 0; i < order.size(); ++i) CHECK(order[i] == static_cast<int>(i));
    }
}

TEST_CASE("timers run in the order of their time, once, unless cancelled") {
    TimerQueue queue;
    std::string order;
    const Time t0{1000s};
    queue.at(t0 + 2s, [&] { order += 'b'; });
    queue.at(t0 + 1s, [&] { order += 'a'; });
    const auto cancelled = queue.at(t0 + 1s, [&] { order += 'X'; });
    queue.at(t0 + 1s, [&] {
        order += 'A';
        queue.at(t0 + 1s, [&] { order += '+'; });  // due at once: same round
    });
    CHECK(queue.cancel(cancelled));
    CHECK_FALSE(queue.cancel(cancelled));
    CHECK(queue.next_due() == t0 + 1s);
    CHECK(queue.run_due(t0) == 0);
    CHECK(queue.run_due(t0 + 1s) == 3);
    CHECK(order == "aA+");
    std::vector<Time> due;
    CHECK(queue.run_due(t0 + 1h, [&](Time time) { due.push_back(time); }) == 1);
    CHECK(due == std::vector{t0 + 2s});
    CHECK(queue.size() == 0);
}

TEST_CASE("the timer thread wakes for an earlier entry") {
    const SystemClock clock;
    TimerQueue queue;
    std::atomic<bool> too_early = false;
    TimerThread thread(queue, clock, [&](Duration late) { too_early = late < Duration::zero(); });
    std::mutex mutex;
    std::condition_variable done;
    int ran = 0;
    queue.at(clock.now() + 1h, [&] { ran = 100; });
    queue.at(clock.now(), [&] {
        const std::lock_guard lock(mutex);
        ++ran;
        done.notify_all();
    });
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return ran == 1; });
    CHECK(queue.size() == 1);
    CHECK_FALSE(too_early);
}

}  // namespace paperclip
