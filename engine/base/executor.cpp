#include "engine/base/executor.hpp"

#include "engine/base/log.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

namespace paperclip {

void Executor::run(const Task& task) noexcept {
    try {
        task();
    } catch (const std::exception& e) {
        log_error("background task failed", {{"error", e.what()}});
    }
}

namespace {
// The pool whose thread this is: its own tasks may still post while it stops.
thread_local const WorkerPool* t_pool = nullptr;

/// Who waits for an answer goes before background work, however much of that there is.
void give_way() {
    constexpr int k_niceness = 5;
    const auto self = static_cast<id_t>(::gettid());
    static_cast<void>(
        ::setpriority(PRIO_PROCESS, self, ::getpriority(PRIO_PROCESS, self) + k_niceness));
}
}  // namespace

WorkerPool::WorkerPool(std::string name, std::size_t threads) {
    threads_.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) {
        threads_.emplace_back([this, name] { work(name); });
    }
}

WorkerPool::~WorkerPool() {
    stop();
}

void WorkerPool::post(Task task) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ && t_pool != this) return;
        queue_.push_back(std::move(task));
    }
    wake_.notify_one();
}

void WorkerPool::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
}

void WorkerPool::work(const std::string& name) {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    t_pool = this;
    give_way();
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return !queue_.empty() || (stopping_ && running_ == 0); });
        if (queue_.empty()) break;
        Task task = std::move(queue_.front());
        queue_.pop_front();
        ++running_;
        lock.unlock();
        run(task);
        task = nullptr;  // what it captured may post when it goes
        lock.lock();
        --running_;
    }
    wake_.notify_all();  // the last task has ended: the other threads may go too
}

void ManualExecutor::post(Task task) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(task));
}

bool ManualExecutor::run_one(const std::function<std::size_t(std::size_t)>& pick) {
    Task task;
    {
        const std::lock_guard lock(mutex_);
        if (queue_.empty()) return false;
        const auto at =
            queue_.begin() + static_cast<std::ptrdiff_t>(pick ? pick(queue_.size()) : 0);
        task = std::move(*at);
        queue_.erase(at);
    }
    run(task);
    return true;
}

void ManualExecutor::run_all() {
    while (run_one()) {
    }
}

void Strand::post(Task task) const {
    {
        const std::lock_guard lock(state_->mutex);
        state_->queue.push_back(std::move(task));
        if (std::exchange(state_->running, true)) return;
    }
    state_->executor.post([state = state_] { drain(state); });
}

void Strand::drain(const std::shared_ptr<State>& state) {
    Task task;
    {
        const std::lock_guard lock(state->mutex);
        task = std::move(state->queue.front());
        state->queue.pop_front();
    }
    // The next task is posted even when this one throws, and takes its turn among the others.
    struct Next {
        const std::shared_ptr<State>& state;
        ~Next() {
            {
                const std::lock_guard lock(state->mutex);
                if (state->queue.empty()) {
                    state->running = false;
                    return;
                }
            }
            state->executor.post([state = state] { drain(state); });
        }
    } next{state};
    task();
}

}  // namespace paperclip
