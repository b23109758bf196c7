#include "tests/faults/storage/decorator.hpp"
#include "tests/faults/storage/wrong_storages.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace paperclip::test {
namespace {

/// Takes what waits whenever it is free, as a storage does that commits in groups.
class Batching : public Decorator {
 public:
    explicit Batching(pc_store* store) : Decorator(store), thread_([this] { work(); }) {}

    pc_status submit(const pc_unit& unit, pc_error*) override {
        const std::lock_guard lock(mutex_);
        if (stopping_) return PC_CLOSED;
        queue_.push_back(&unit);
        wake_.notify_one();
        return PC_OK;
    }
    void close() override {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
            wake_.notify_one();
        }
        thread_.join();
        Decorator::close();
    }

 protected:
    using Batch = std::vector<const pc_unit*>;
    struct Result {
        pc_status status = PC_OK;
        std::uint32_t step = 0;
        pc_error error{};
    };

    virtual void apply(Batch& batch) = 0;
    /// Whether what is queued at close is left there.
    [[nodiscard]] virtual bool drops_queue() const { return false; }

    /// Submits and waits.
    Result run(const pc_unit& unit, std::vector<pc_step> steps, bool rows) {
        std::mutex mutex;
        std::condition_variable wake;
        std::optional<Result> result;
        Result refused;
        const pc_status status =
            forward(unit, std::move(steps),
                    [&](pc_status answered, std::uint32_t step, const pc_error* why) {
                        const std::lock_guard lock(mutex);
                        result = Result{answered, step, why == nullptr ? pc_error{} : *why};
                        wake.notify_one();
                    },
                    &refused.error, {rows, 0});
        if (status != PC_OK) {
            refused.status = status;
            return refused;
        }
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return result.has_value(); });
        return *result;
    }
    void run_alone(const pc_unit& unit) {
        const Result result = run(unit, steps_of(unit), true);
        answer(unit, result.status, result.step, &result.error);
    }
    /// Every step of the batch in one unit, and nothing of it kept. Units with an id are not tried:
    /// what they would do depends on what was there before.
    std::optional<Result> try_together(const Batch& batch) {
        std::vector<pc_step> all;
        for (const pc_unit* unit : batch) {
            if (unit->id.size > 0 || unit->step_count > 100) return std::nullopt;
            all.insert(all.end(), unit->steps, unit->steps + unit->step_count);
        }
        all.push_back(never());
        pc_unit trial = *batch[0];
        trial.timeout_us = 0;
        return run(trial, std::move(all), false);
    }

 private:
    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
            if (queue_.empty() || (stopping_ && drops_queue())) return;
            Batch batch;
            batch.swap(queue_);
            lock.unlock();
            apply(batch);
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    Batch queue_;
    bool stopping_ = false;
    std::thread thread_;
};

/// Lets a unit that fails take its whole group with it.
class SinksNeighbours : public Batching {
 public:
    using Batching::Batching;

 private:
    void apply(Batch& batch) override {
        const auto count = static_cast<int>(batch.size());
        const auto tried = alone_ > 0 || count == 1 ? std::nullopt : try_together(batch);
        const auto whole = [&] {
            std::uint32_t steps = 0;
            for (const pc_unit* unit : batch) steps += unit->step_count;
            return steps;
        };
        if (tried && !(tried->status == PC_CONFLICT && tried->step == whole())) {
            alone_ = 2 * count;  // so that it gets on when they come again
            for (const pc_unit* unit : batch) answer(*unit, PC_RETRY);
            return;
        }
        for (const pc_unit* unit : batch) run_alone(*unit);
        alone_ = std::max(0, alone_ - count);
    }
    int alone_ = 0;  // units that are to be run one by one
};

/// Answers a conflict as soon as it is seen, before what caused it is committed.
class EarlyConflict : public Batching {
 public:
    using Batching::Batching;

 private:
    void apply(Batch& batch) override {
        while (batch.size() > 1) {
            const auto tried = try_together(batch);
            if (!tried || tried->status != PC_CONFLICT) break;
            std::uint32_t first = 0;
            auto at = batch.begin();
            while (at != batch.end() && tried->step >= first + (*at)->step_count) {
                first += (*at++)->step_count;
            }
            if (at == batch.end() || at == batch.begin()) break;
            answer(**at, PC_CONFLICT, tried->step - first);
            batch.erase(at);
        }
        for (const pc_unit* unit : batch) run_alone(*unit);
    }
};

/// Closes without a word to those who wait.
class DropsQueue : public Batching {
 public:
    using Batching::Batching;

 private:
    void apply(Batch& batch) override {
        for (const pc_unit* unit : batch) run_alone(*unit);
    }
    [[nodiscard]] bool drops_queue() const override { return true; }
};

/// Checks what a unit only reads before the unit, not in it.
class ChecksFirst : public Batching {
 public:
    using Batching::Batching;
    pc_status catalogue(const pc_statement* statements, std::uint32_t count,
                        pc_error* error) override {
        const std::lock_guard lock(mutex_);
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::string_view sql(statements[i].sql.data, statements[i].sql.size);
            if (sql.starts_with("select")) selects_.push_back(statements[i].id);
        }
        return Batching::catalogue(statements, count, error);
    }

 private:
    bool is_select(const pc_step& step) {
        const std::lock_guard lock(mutex_);
        return std::find(selects_.begin(), selects_.end(), step.statement) != selects_.end();
    }
    void apply(Batch& batch) override {
        Batch held;
        for (const pc_unit* unit : batch) {
            const bool checked = unit->step_count == 2 && is_select(unit->steps[0]);
            const Result first = checked ? run(*unit, {unit->steps[0]}, true) : Result{};
            if (first.status == PC_OK) {
                held.push_back(unit);
            } else {
                answer(*unit, first.status, first.step, &first.error);
            }
        }
        for (const pc_unit* unit : held) {
            const bool checked = unit->step_count == 2 && is_select(unit->steps[0]);
            auto steps = steps_of(*unit);
            if (checked) steps.erase(steps.begin());
            const Result rest = run(*unit, std::move(steps), true);
            answer(*unit, rest.status, rest.step, &rest.error);
        }
    }

    std::mutex mutex_;
    std::vector<std::uint32_t> selects_;
};

/// Applies every 100th unit of two steps by half.
class LosesSteps : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        if (unit.step_count != 2 || ++units_ % 100 != 0) return Decorator::submit(unit, error);
        const pc_unit* whole = &unit;
        return forward(
            unit, {unit.steps[0]},
            [whole](pc_status status, std::uint32_t step, const pc_error* why) {
                answer(*whole, status, step, why);
            },
            error);
    }

 private:
    std::atomic<int> units_{0};
};

/// Tells every 50th unit that lost that it won.
class ConsolesLosers : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        const pc_unit* whole = &unit;
        return forward(
            unit,
            [this, whole](pc_status status, std::uint32_t step, const pc_error* why) {
                const bool consoled = status == PC_CONFLICT && ++conflicts_ % 50 == 0;
                answer(*whole, consoled ? PC_OK : status, step, why);
            },
            error);
    }

 private:
    std::atomic<int> conflicts_{0};
};

}  // namespace

std::vector<WrongStorage> wrong_groups() {
    return {
        {"lets a unit sink its neighbours", decorated<SinksNeighbours>(), {"unit.neighbour"}},
        {"answers a conflict before the commit", decorated<EarlyConflict>(), {"unit.durable"}},
        {"closes without answers", decorated<DropsQueue>(), {"close.answers"}},
        {"checks what a unit reads before it", decorated<ChecksFirst>(), {"race.write_skew"}},
        {"applies units by half", decorated<LosesSteps>(), {"race.budget", "race.read_then_write"}},
        {"tells a loser that it won",
         decorated<ConsolesLosers>(),
         {"race.claims", "race.budget", "race.lease"}},
    };
}

}  // namespace paperclip::test
