#include "engine/storage/store.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace paperclip::storage {
namespace {

ErrorKind kind_of(Outcome outcome) {
    return outcome == Outcome::invalid || outcome == Outcome::constraint ||
                   outcome == Outcome::corrupt
               ? ErrorKind::internal
               : ErrorKind::unavailable;
}

std::string advice(Outcome outcome) {
    switch (outcome) {
        case Outcome::full:
            return "the disk is full; free some space, the engine then goes on";
        case Outcome::read_only:
            return "the data folder cannot be written; check its permissions";
        case Outcome::corrupt:
            return "the database is damaged; restore the last backup";
        default:
            return std::string(outcome_name(outcome));
    }
}

/// A row that outlives the callback it came in.
class KeptRow {
 public:
    KeptRow(std::uint32_t step, Row row) : step_(step) {
        values_.reserve(row.size());
        for (const Value& value : row) {
            const bool text = value.type() == Value::Type::text;
            if (!text && value.type() != Value::Type::blob) {
                values_.push_back(value);
                continue;
            }
            const auto& copy = bytes_.emplace_back(value.as_text());
            values_.push_back(text ? Value::text(copy) : Value::blob(copy));
        }
    }
    [[nodiscard]] std::uint32_t step() const { return step_; }
    [[nodiscard]] Row row() const { return values_; }

 private:
    std::uint32_t step_;
    std::vector<Value> values_;
    std::deque<std::string> bytes_;
};

/// One unit between submit and its answer; lives on the submitter's stack.
class Pending final : public UnitRequest {
 public:
    Pending(std::string_view id, std::vector<Step> steps) : id_(id), steps_(std::move(steps)) {}

    [[nodiscard]] std::span<const Step> steps() const override { return steps_; }
    [[nodiscard]] std::string_view id() const override { return id_; }
    void row(std::uint32_t step, std::span<const Value> values) override {
        rows_.emplace_back(step, values);
    }
    void done(Outcome outcome, std::uint32_t step, std::string_view message) override {
        outcome_ = outcome;
        failed_step_ = step;
        message_ = message;
        const std::lock_guard lock(mutex_);  // the waiter cannot destroy us before we let go
        done_ = true;
        wake_.notify_one();
    }

    void wait() {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return done_; });
    }
    [[nodiscard]] Outcome outcome() const { return outcome_; }
    [[nodiscard]] std::uint32_t failed_step() const { return failed_step_; }
    [[nodiscard]] const std::string& message() const { return message_; }
    [[nodiscard]] const std::deque<KeptRow>& rows() const { return rows_; }

 private:
    std::string_view id_;
    std::vector<Step> steps_;
    std::deque<KeptRow> rows_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool done_ = false;
    Outcome outcome_ = Outcome::ok;
    std::uint32_t failed_step_ = 0;
    std::string message_;
};

}  // namespace

std::string_view outcome_name(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::ok:
            return "ok";
        case Outcome::conflict:
            return "conflict";
        case Outcome::constraint:
            return "constraint";
        case Outcome::retry:
            return "retry";
        case Outcome::full:
            return "full";
        case Outcome::read_only:
            return "read_only";
        case Outcome::io:
            return "io";
        case Outcome::corrupt:
            return "corrupt";
        case Outcome::timeout:
            return "timeout";
        case Outcome::closed:
            return "closed";
        case Outcome::invalid:
            return "invalid";
    }
    return "unknown";
}

StorageError::StorageError(Outcome outcome, const std::string& message)
    : Error(kind_of(outcome),
            "Storage: " + advice(outcome) + (message.empty() ? "" : " (" + message + ")"),
            "storage_" + std::string(outcome_name(outcome))),
      outcome_(outcome) {}

void Store::submit(Unit& unit) {
    constexpr int k_attempts = 5;
    for (int attempt = 1;; ++attempt) {
        std::vector<Step> steps;
        steps.reserve(unit.steps_.size());
        for (const auto& step : unit.steps_) {
            steps.push_back({step.statement->id, step.expect, step.values});
        }
        Pending pending(unit.id_, std::move(steps));
        backend_.submit(pending);
        pending.wait();
        if (pending.outcome() == Outcome::ok) {
            for (const auto& kept : pending.rows()) {
                const auto& each = unit.steps_[kept.step()].each;
                if (each) each(kept.row());
            }
            break;
        }
        if (pending.outcome() == Outcome::retry && attempt < k_attempts) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1 << attempt));
            continue;
        }
        if (pending.outcome() != Outcome::conflict && pending.outcome() != Outcome::constraint) {
            throw StorageError(pending.outcome(), pending.message());
        }
        const auto& failed = unit.steps_.at(pending.failed_step());
        const bool conflict = pending.outcome() == Outcome::conflict;
        const auto& explain = conflict ? failed.otherwise : failed.taken;
        if (explain) explain();
        if (conflict) throw Conflict(pending.failed_step(), failed.statement->name);
        throw StorageError(pending.outcome(), failed.statement->name + ": " + pending.message());
    }
    for (const auto& hint : unit.after_) hint();
}

void Store::each(const StatementPtr& statement, std::span<const Arg> args,
                 const std::function<void(Row)>& visit) {
    const auto values = bind(*statement, args);
    std::exception_ptr thrown;  // nothing may be thrown through the backend
    const Failure failure = backend_.query({statement->id, values, 0, [&](Row row) {
                                                try {
                                                    visit(row);
                                                    return true;
                                                } catch (...) {
                                                    thrown = std::current_exception();
                                                    return false;
                                                }
                                            }});
    if (thrown) std::rethrow_exception(thrown);
    if (failure.outcome != Outcome::ok) {
        throw StorageError(failure.outcome, statement->name + ": " + failure.message);
    }
}

std::optional<std::int64_t> Store::integer(const StatementName& name, Args args) {
    std::optional<std::int64_t> found;
    each(name, args, [&](Row row) {
        if (!row[0].is_null()) found = row[0].as_integer();
    });
    return found;
}

std::optional<std::string> Store::text(const StatementName& name, Args args) {
    std::optional<std::string> found;
    each(name, args, [&](Row row) {
        if (!row[0].is_null()) found = std::string(row[0].as_text());
    });
    return found;
}

}  // namespace paperclip::storage
