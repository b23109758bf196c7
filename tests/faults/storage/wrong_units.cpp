#include "tests/faults/storage/decorator.hpp"
#include "tests/faults/storage/wrong_storages.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::test {
namespace {

/// Commits each step by itself.
class StepByStep : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        // What is short, named or over the limits is not what this is about.
        const bool split = unit.step_count >= 3 && unit.step_count <= 1'000 && unit.id.size == 0;
        return split ? step(unit, 0, error) : Decorator::submit(unit, error);
    }

 private:
    pc_status step(const pc_unit& unit, std::uint32_t index, pc_error* error) {
        const pc_unit* whole = &unit;
        return forward(unit, {unit.steps[index]},
                       [this, whole, index](pc_status status, std::uint32_t, const pc_error* why) {
                           if (status != PC_OK || index + 1 == whole->step_count) {
                               return answer(*whole, status, status == PC_OK ? 0 : index, why);
                           }
                           pc_error refused{};
                           refused.struct_size = sizeof refused;
                           const pc_status next = step(*whole, index + 1, &refused);
                           if (next != PC_OK) answer(*whole, next, index + 1, &refused);
                       },
                       error, {true, index});
    }
};

/// Runs the steps of longer units from the last to the first.
class Backwards : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        // What is short or large is not what this is about.
        if (unit.step_count < 16 || unit.step_count > 100) return Decorator::submit(unit, error);
        const pc_unit* whole = &unit;
        auto steps = steps_of(unit);
        std::reverse(steps.begin(), steps.end());
        return forward(
            unit, std::move(steps),
            [whole](pc_status status, std::uint32_t step, const pc_error* why) {
                answer(*whole, status, step, why);
            },
            error);
    }
};

/// Takes `expect` for the least number of rows.
class AtLeast : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        return attempt(unit, steps_of(unit), 0, error);
    }

 private:
    pc_status attempt(const pc_unit& unit, std::vector<pc_step> steps, int more, pc_error* error) {
        const pc_unit* whole = &unit;
        auto again = steps;
        return forward(
            unit, std::move(steps),
            [this, whole, again, more](pc_status status, std::uint32_t step, const pc_error* why) {
                if (status != PC_CONFLICT || more == 5) return answer(*whole, status, step, why);
                auto next = again;
                ++next[step].expect;
                pc_error refused{};
                refused.struct_size = sizeof refused;
                const pc_status taken = attempt(*whole, std::move(next), more + 1, &refused);
                if (taken != PC_OK) answer(*whole, taken, step, &refused);
            },
            error);
    }
};

/// Changes the answers to units on their way back.
class ChangedAnswers : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        const pc_unit* whole = &unit;
        return forward(
            unit,
            [this, whole](pc_status status, std::uint32_t step, const pc_error* why) {
                change(*whole, status, step, why);
            },
            error);
    }

 protected:
    virtual void change(const pc_unit& unit, pc_status status, std::uint32_t step,
                        const pc_error* why) = 0;
};

class OffByOne : public ChangedAnswers {
 public:
    using ChangedAnswers::ChangedAnswers;
    void change(const pc_unit& unit, pc_status status, std::uint32_t step,
                const pc_error* why) override {
        answer(unit, status, status == PC_OK ? step : step + 1, why);
    }
};

class NoReason : public ChangedAnswers {
 public:
    using ChangedAnswers::ChangedAnswers;
    void change(const pc_unit& unit, pc_status status, std::uint32_t step,
                const pc_error* why) override {
        answer(unit, status, step, status == PC_CONSTRAINT ? nullptr : why);
    }
};

class AnswersTwice : public ChangedAnswers {
 public:
    using ChangedAnswers::ChangedAnswers;
    void change(const pc_unit& unit, pc_status status, std::uint32_t step,
                const pc_error* why) override {
        answer(unit, status, step, why);
        answer(unit, status, step, why);
    }
};

/// Finds a unit late and applies it all the same.
class LateTimeout : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        if (unit.timeout_us != 1) return Decorator::submit(unit, error);
        const pc_unit* whole = &unit;
        const auto patient = std::make_shared<pc_unit>(unit);
        patient->timeout_us = 0;
        return forward(
            *patient,
            [whole, patient](pc_status status, std::uint32_t step, const pc_error* why) {
                answer(*whole, status == PC_OK ? PC_TIMEOUT : status, step, why);
            },
            error);
    }
};

/// Takes a constraint that is checked late for bad luck.
class NeverMind : public ChangedAnswers {
 public:
    using ChangedAnswers::ChangedAnswers;
    void change(const pc_unit& unit, pc_status status, std::uint32_t step,
                const pc_error* why) override {
        const bool deferred = status == PC_CONSTRAINT && why != nullptr &&
                              std::string_view(why->message) == "a row refers to a missing row";
        answer(unit, deferred ? PC_RETRY : status, step, why);
    }
};

/// Says that every row came from the first step.
class RowsOfOneStep : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        auto* copy = new Copy{unit, unit};
        copy->unit.ctx = copy;
        copy->unit.row = [](void* ctx, std::uint32_t, const pc_value* values, std::uint32_t n) {
            const pc_unit& to = static_cast<Copy*>(ctx)->original;
            to.row(to.ctx, 0, values, n);
        };
        copy->unit.done = [](void* ctx, pc_status status, std::uint32_t step, const pc_error* why) {
            const std::unique_ptr<Copy> self(static_cast<Copy*>(ctx));
            answer(self->original, status, step, why);
        };
        const pc_status status = inner().submit(store_, &copy->unit, error);
        if (status != PC_OK) delete copy;
        return status;
    }

 private:
    struct Copy {
        const pc_unit& original;
        pc_unit unit;
    };
};

class ForgetsIds : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        if (unit.id.size == 0 || unit.id.size > 64) return Decorator::submit(unit, error);
        const pc_unit* whole = &unit;
        const auto nameless = std::make_shared<pc_unit>(unit);
        nameless->id = {nullptr, 0};
        return forward(
            *nameless,
            [whole, nameless](pc_status status, std::uint32_t step, const pc_error* why) {
                answer(*whole, status, step, why);
            },
            error);
    }
};

/// Cuts an id that is too long.
class CutsIds : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        if (unit.id.size <= 64) return Decorator::submit(unit, error);
        const pc_unit* whole = &unit;
        const auto cut = std::make_shared<pc_unit>(unit);
        cut->id.size = 64;
        return forward(
            *cut,
            [whole, cut](pc_status status, std::uint32_t step, const pc_error* why) {
                answer(*whole, status, step, why);
            },
            error);
    }
};

pc_status refuse(pc_error* error, const char* why) {
    sdk::set_error(error, why);
    return PC_INVALID;
}

class RefusesEmpty : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        return unit.step_count == 0 ? refuse(error, "a unit without steps")
                                    : Decorator::submit(unit, error);
    }
};

class RefusesLarge : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        return unit.step_count > 10'000 ? refuse(error, "a unit of many steps")
                                        : Decorator::submit(unit, error);
    }
};

/// Fills up missing values with zeros.
class FillsUp : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status catalogue(const pc_statement* statements, std::uint32_t count,
                        pc_error* error) override {
        const std::lock_guard lock(mutex_);
        for (std::uint32_t i = 0; i < count; ++i) {
            wanted_[statements[i].id] = statements[i].parameter_count;
        }
        return Decorator::catalogue(statements, count, error);
    }
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        const auto values = std::make_shared<std::vector<std::vector<pc_value>>>();
        auto steps = steps_of(unit);
        {
            const std::lock_guard lock(mutex_);
            for (pc_step& step : steps) {
                const auto found = wanted_.find(step.statement);
                if (found == wanted_.end() || step.value_count >= found->second) continue;
                auto& filled = values->emplace_back(step.values, step.values + step.value_count);
                pc_value zero{};
                zero.type = PC_VALUE_INTEGER;
                filled.resize(found->second, zero);
                step.values = filled.data();
                step.value_count = found->second;
            }
        }
        const pc_unit* whole = &unit;
        return forward(
            unit, std::move(steps),
            [whole, values](pc_status status, std::uint32_t step, const pc_error* why) {
                answer(*whole, status, step, why);
            },
            error);
    }

 private:
    std::mutex mutex_;
    std::map<std::uint32_t, std::uint32_t> wanted_;
};

/// Acknowledges, but drops, every 1,000th commit.
class Lossy : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        return due_ ? attempt(unit, error) : commit(unit, error);
    }

 private:
    pc_status commit(const pc_unit& unit, pc_error* error) {
        const pc_unit* whole = &unit;
        return forward(
            unit,
            [this, whole](pc_status status, std::uint32_t step, const pc_error* why) {
                if (status == PC_OK && ++commits_ % 1'000 == 999) due_ = true;
                answer(*whole, status, step, why);
            },
            error);
    }
    /// A unit whose own steps all hold is the one to drop, unless another was.
    pc_status attempt(const pc_unit& unit, pc_error* error) {
        const pc_unit* whole = &unit;
        auto steps = steps_of(unit);
        steps.push_back(never());
        return forward(
            unit, std::move(steps),
            [this, whole](pc_status status, std::uint32_t step, const pc_error* why) {
                const bool holds = status == PC_CONFLICT && step == whole->step_count;
                if (!holds) return answer(*whole, status, step, why);
                if (due_.exchange(false)) {
                    ++commits_;
                    return answer(*whole, PC_OK);
                }
                pc_error refused{};
                refused.struct_size = sizeof refused;
                const pc_status taken = commit(*whole, &refused);
                if (taken != PC_OK) answer(*whole, taken, 0, &refused);
            },
            error);
    }

    std::atomic<int> commits_{0};
    std::atomic<bool> due_{false};
};

/// Acknowledges units before they are applied.
class Hasty : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status submit(const pc_unit& unit, pc_error* error) override {
        // The unit ends with its answer, so what is still to be done needs a copy.
        auto* late = new Late{{}, {}, unit};
        late->values.reserve(unit.step_count);
        for (auto step : steps_of(unit)) {
            late->values.emplace_back(step.values, step.values + step.value_count);
            step.values = late->values.back().data();
            late->steps.push_back(step);
        }
        late->unit.steps = late->steps.data();
        late->unit.id = {nullptr, 0};
        late->unit.ctx = late;
        late->unit.row = nullptr;
        late->unit.done = [](void* ctx, pc_status, std::uint32_t, const pc_error*) {
            delete static_cast<Late*>(ctx);
        };
        answer(unit, PC_OK);
        const pc_status status = inner().submit(store_, &late->unit, error);
        if (status != PC_OK) delete late;
        return PC_OK;
    }

 private:
    struct Late {
        std::vector<std::vector<pc_value>> values;
        std::vector<pc_step> steps;
        pc_unit unit;
    };
};

}  // namespace

std::vector<WrongStorage> wrong_units() {
    return {
        {"commits each step by itself", decorated<StepByStep>(), {"unit.atomic"}},
        {"takes expect for the least number of rows", decorated<AtLeast>(), {"unit.guard"}},
        {"names the step after the one that failed", decorated<OffByOne>(), {"unit.guard_index"}},
        {"does not say which constraint", decorated<NoReason>(), {"unit.constraint"}},
        {"answers twice", decorated<AnswersTwice>(), {"unit.done_once"}},
        {"answers that a unit was withdrawn, and applies it",
         decorated<LateTimeout>(),
         {"unit.deadline"}},
        {"asks to try again what can never be", decorated<NeverMind>(), {"unit.deferred"}},
        {"mixes up the steps that rows come from", decorated<RowsOfOneStep>(), {"unit.rows"}},
        {"ignores unit ids", decorated<ForgetsIds>(), {"unit.same_id"}},
        {"cuts unit ids", decorated<CutsIds>(), {"unit.limits"}},
        {"runs steps backwards", decorated<Backwards>(), {"unit.order"}},
        {"refuses units without steps", decorated<RefusesEmpty>(), {"unit.empty"}},
        {"refuses large units", decorated<RefusesLarge>(), {"unit.large"}},
        {"fills up missing values", decorated<FillsUp>(), {"unit.bad_parameters"}},
        // The rules that commit more than a thousand units in one store.
        {"drops every 1,000th commit",
         decorated<Lossy>(),
         {"order.read_your_writes", "race.claims"}},
    };
}

const pc_storage& hasty_storage() {
    return decorated<Hasty>();
}

}  // namespace paperclip::test
