#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace paperclip {

using Task = std::function<void()>;

/// Runs tasks at some later moment. A task that throws is logged and forgotten: this is the
/// boundary where errors of background work end. post() is thread-safe and does not wait.
class Executor {
 public:
    virtual ~Executor() = default;
    virtual void post(Task task) = 0;

 protected:
    static void run(const Task& task) noexcept;
};

/// A fixed number of threads that may block (for the store, for a file).
class WorkerPool final : public Executor {
 public:
    /// `name` is seen in `top -H` and debuggers (15 characters at most).
    WorkerPool(std::string name, std::size_t threads);
    ~WorkerPool() override;

    void post(Task task) override;
    /// Runs what is queued and what those tasks post, then joins the threads; what others post
    /// meanwhile is dropped.
    void stop();

 private:
    void work(const std::string& name);

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Task> queue_;
    bool stopping_ = false;
    std::size_t running_ = 0;
    std::vector<std::thread> threads_;
};

/// Runs tasks when the test says so, on the test's thread.
class ManualExecutor final : public Executor {
 public:
    void post(Task task) override;
    /// Runs one queued task; which one, `pick` says from the number of queued ones. False if none.
    bool run_one(const std::function<std::size_t(std::size_t)>& pick = {});
    void run_all();

 private:
    std::mutex mutex_;
    std::deque<Task> queue_;
};

/// Runs its tasks one after the other, in the order of post(), on the threads of `executor`.
/// A Strand may be destroyed while tasks are queued: they still run.
class Strand {
 public:
    explicit Strand(Executor& executor) : state_(std::make_shared<State>(executor)) {}
    void post(Task task) const;

 private:
    struct State {
        explicit State(Executor& e) : executor(e) {}
        Executor& executor;
        std::mutex mutex;
        std::deque<Task> queue;
        bool running = false;
    };
    static void drain(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

}  // namespace paperclip
