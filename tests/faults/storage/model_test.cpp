#include "tests/faults/storage/decorator.hpp"
#include "tests/faults/storage/kit_options.hpp"
#include "tests/faults/storage/model_store.hpp"

#include <atomic>
#include <mutex>
#include <random>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

using check::Answer;
using check::Session;
using check::Unit;

/// A storage behind a bad connection: some units do not reach it, some answers do not come back.
/// Either way the caller hears PC_RETRY, and must ask again under the unit's id.
class BadConnection : public Decorator {
 public:
    using Decorator::Decorator;
    static std::atomic<std::uint32_t> seed;
    static std::atomic<int> lost_before;
    static std::atomic<int> lost_after;

    pc_status submit(const pc_unit& unit, pc_error* error) override {
        const auto chance = draw() % 4;
        if (chance == 0) {
            ++lost_before;
            answer(unit, PC_RETRY);
            return PC_OK;
        }
        if (chance != 1) return Decorator::submit(unit, error);
        ++lost_after;
        const pc_unit* whole = &unit;
        return forward(
            unit, [whole](pc_status, std::uint32_t, const pc_error*) { answer(*whole, PC_RETRY); },
            error);
    }
    pc_status query(const pc_query& query, pc_error* error) override {
        return draw() % 8 == 0 ? PC_RETRY : Decorator::query(query, error);
    }

 private:
    std::uint32_t draw() {
        const std::lock_guard lock(mutex_);
        return random_();
    }
    std::mutex mutex_;
    std::mt19937 random_{seed};
};
std::atomic<std::uint32_t> BadConnection::seed{0};
std::atomic<int> BadConnection::lost_before{0};
std::atomic<int> BadConnection::lost_after{0};

/// Units made of chance: mostly sensible, so that many hold, on few rows, so that they meet.
class Units {
 public:
    explicit Units(std::uint32_t seed) : random_(seed) {}

    Unit next() {
        Unit unit;
        const int steps = below(6);
        for (int i = 0; i < steps; ++i) unit.steps.push_back(step());
        if (below(3) == 0) unit.id = "unit " + std::to_string(below(200));
        return unit;
    }
    int below(int limit) { return static_cast<int>(random_() % static_cast<std::uint32_t>(limit)); }

 private:
    check::Step step() {
        check::Step step;
        // Some statements do not exist; accounts must be opened more often than they are closed.
        const auto any = static_cast<std::uint32_t>(below(60));
        step.statement = any == 59                     ? 4711
                         : any < ModelStore::count * 4 ? any % ModelStore::count
                                                       : ModelStore::open_account;
        std::size_t count = step.statement == 4711 ? 0 : ModelStore::parameters(step.statement);
        if (below(100) == 0) ++count;
        for (std::size_t i = 0; i < count; ++i) step.values.emplace_back(below(i == 0 ? 12 : 40));
        // A note's own id comes first and must be new most of the time.
        const bool notes =
            step.statement == ModelStore::note || step.statement == ModelStore::note_owned;
        if (notes && count > 1) {
            step.values[0] = std::int64_t{below(2'000) * 16};
            step.values[1] = std::int64_t{below(12)};
        }
        const int expect = below(6);
        step.expect = expect < 3 ? PC_ANY_ROWS : expect == 3 ? below(3) : 1;
        return step;
    }

    std::mt19937 random_;
};

/// A store and its model, side by side.
class Pair {
 public:
    /// How often each status was the right one.
    using Statuses = std::map<pc_status, int>;

    Pair(const pc_storage& storage, std::uint32_t seed)
        : context_{storage, options_}, units_(seed) {
        open();
        session_->script(ModelStore::tables());
    }

    /// Units that go in at once and are taken in that order.
    void group() {
        std::vector<Unit> units(static_cast<std::size_t>(1 + units_.below(8)));
        for (Unit& unit : units) unit = units_.next();
        std::vector<check::Pending*> pending;
        for (const Unit& unit : units) pending.push_back(&session_->submit_async(real(unit)));
        for (std::size_t i = 0; i < units.size(); ++i) {
            compare(model_.apply(units[i]), session_->wait(*pending[i]), true);
        }
    }
    /// One unit, again and again until it is answered.
    void settled() {
        Unit unit = units_.next();
        unit.id = "settled " + std::to_string(++settled_);
        const Unit to_settle = real(unit);
        Answer answer = session_->submit(to_settle);
        const bool at_once = answer.status != PC_RETRY;
        if (!at_once) answer = session_->settle(to_settle);
        compare(model_.apply(unit), answer, at_once);
    }
    void compare_tables() {
        check::expect_rows("accounts", model_.accounts(),
                           rows("select id, balance, owner from kit_account order by id"));
        check::expect_rows("entries", model_.entries(),
                           rows("select id, account, amount from kit_entry order by id"));
    }
    void reopen() {
        session_.reset();
        open();
    }
    [[nodiscard]] const Statuses& statuses() const { return statuses_; }

 private:
    void open() {
        session_ = std::make_unique<Session>(context_, sqlite_config(folder_ / "store.db"));
        statements_.clear();
        for (const char* text : ModelStore::statements())
            statements_.push_back(session_->write(text));
    }
    /// The unit in the session's statement ids.
    [[nodiscard]] Unit real(Unit unit) const {
        for (auto& step : unit.steps) {
            if (step.statement < statements_.size()) step.statement = statements_[step.statement];
        }
        return unit;
    }
    std::vector<check::Row> rows(const char* text) {
        const auto statement = session_->read(text);
        for (;;) {
            auto result = session_->query(statement);
            if (result.status == PC_RETRY) continue;
            check::expect_status(text, PC_OK, result);
            return std::move(result.rows);
        }
    }
    void compare(const Answer& expected, const Answer& found, bool with_rows) {
        ++statuses_[expected.status];
        check::expect_status("a unit", expected.status, found);
        check::expect_equal("the step that failed", expected.step, found.step);
        // Rows of a unit that is not PC_OK, or that was applied before, are void.
        if (expected.status != PC_OK || !with_rows) return;
        const auto flat = [](const Answer& answer) {
            std::vector<check::Row> rows;
            for (const auto& [step, row] : answer.rows) {
                rows.push_back(row);
                rows.back().emplace_back(std::int64_t{step});
            }
            return rows;
        };
        check::expect_rows("rows that the unit returned", flat(expected), flat(found));
    }

    const check::Options options_{};
    const check::Context context_;
    TempFolder folder_;
    Units units_;
    ModelStore model_;
    std::unique_ptr<Session> session_;
    std::vector<std::uint32_t> statements_;
    int settled_ = 0;
    Statuses statuses_;
};

template <class Round>
void run_seeds(const pc_storage& storage, int rounds, const Round& round) {
    Pair::Statuses statuses;
    const int seeds = std::max(5, static_cast<int>(200 * PAPERCLIP_TEST_EFFORT));
    for (int seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        BadConnection::seed = static_cast<std::uint32_t>(seed);
        try {
            Pair pair(storage, static_cast<std::uint32_t>(seed));
            for (int i = 0; i < rounds; ++i) {
                round(pair);
                if (i % 10 == 9) pair.compare_tables();
                if (i % 25 == 24) pair.reopen();
            }
            pair.compare_tables();
            for (const auto& [status, times] : pair.statuses()) statuses[status] += times;
        } catch (const std::exception& difference) {
            FAIL(difference.what());
        }
    }
    // Chance was not one-sided.
    for (const pc_status status : {PC_OK, PC_CONFLICT, PC_CONSTRAINT, PC_INVALID}) {
        INFO(check::status_name(status));
        CHECK(statuses[status] > 5 * seeds);
    }
}

}  // namespace

TEST_CASE("units of chance do to the store what they do to the model") {
    run_seeds(sqlite_table(), 60, [](Pair& pair) { pair.group(); });
}

TEST_CASE("units of chance settle under their ids behind a bad connection") {
    run_seeds(decorated<BadConnection>(), 150, [](Pair& pair) { pair.settled(); });
    CHECK(BadConnection::lost_before > 100);
    CHECK(BadConnection::lost_after > 100);
}

}  // namespace paperclip::test
