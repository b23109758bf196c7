#pragma once

#include "storage_kit.hpp"
#include "values.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace paperclip::check {

struct Step {
    std::uint32_t statement = 0;
    Row values;
    std::int64_t expect = PC_ANY_ROWS;
};

struct Unit {
    std::vector<Step> steps;
    std::string id = {};
    std::int64_t timeout_us = 0;
};

struct Answer {
    struct Returned {
        std::uint32_t step;
        Row row;
    };
    pc_status status = PC_OK;
    std::uint32_t step = 0;
    std::string message;
    std::vector<Returned> rows;
    bool refused = false;  ///< submit itself said no
};

/// A unit on its way. Its session keeps it until the store is closed: a wrong storage may answer
/// late, or twice.
class Pending {
 public:
    using OnAnswer = std::function<void(const Answer&)>;

    Pending(Unit unit, OnAnswer on_answer);
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    [[nodiscard]] const pc_unit& abi() const { return abi_; }
    void refuse(pc_status status, const char* message);
    /// The first answer; throws Failed when there is none for so long.
    Answer wait(std::chrono::seconds patience);
    [[nodiscard]] std::optional<Answer> answer() const;
    /// How often `done` was called.
    [[nodiscard]] int answers() const;
    /// Rows that came after the answer.
    [[nodiscard]] int late_rows() const;

 private:
    void row(std::uint32_t step, const pc_value* values, std::uint32_t count);
    void done(pc_status status, std::uint32_t step, const pc_error* error);

    const Unit unit_;
    const OnAnswer on_answer_;
    std::vector<std::vector<pc_value>> values_;
    std::vector<pc_step> steps_;
    pc_unit abi_{};
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    Answer answer_;
    bool answered_ = false;
    int answers_ = 0;
    int late_rows_ = 0;
};

struct QueryResult {
    pc_status status = PC_OK;
    std::string message;
    std::vector<Row> rows;
};

/// An open store and what the rules do with it. Thread-safe but for close().
///
/// SQL is written once for both dialects: `?1` is a parameter; {int}, {real} and {blob} are column
/// types; {strict} ends a table; {share} and {update} make a select hold the rows that it read
/// until the end of its unit.
class Session {
 public:
    enum class Kind { read, write };

    Session(const Context& context, const std::string& config);
    /// In a store of its own.
    explicit Session(const Context& context) : Session(context, context.options.fresh()) {}
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] const std::string& config() const { return config_; }
    [[nodiscard]] const Context& context() const { return context_; }
    [[nodiscard]] pc_store* store() const { return store_; }
    [[nodiscard]] std::string sql(std::string_view text) const;

    /// Runs a script that must succeed.
    void script(std::string_view text);
    pc_status try_script(std::string_view text, std::string* message = nullptr);

    /// Catalogues a statement; returns its id.
    std::uint32_t read(std::string_view text) { return add(text, Kind::read); }
    std::uint32_t write(std::string_view text) { return add(text, Kind::write); }
    void replace(std::uint32_t id, std::string_view text, Kind kind);

    Pending& submit_async(Unit unit, Pending::OnAnswer on_answer = {});
    /// The answer to a unit of this session.
    Answer wait(Pending& pending);
    Answer submit(Unit unit) { return wait(submit_async(std::move(unit))); }
    /// Submits again, as an engine does, for as long as the answer is PC_RETRY.
    Answer settle(const Unit& unit);
    /// settle(), and the answer must be PC_OK.
    Answer apply(const Unit& unit);
    Answer apply(std::uint32_t statement, Row values = {}, std::int64_t expect = PC_ANY_ROWS) {
        return apply({{{statement, std::move(values), expect}}});
    }

    /// Rows until `more` answers false.
    QueryResult query(std::uint32_t statement, const Row& values = {}, std::int64_t timeout_us = 0,
                      const std::function<bool(const Row&)>& more = {});
    /// A query that must succeed.
    std::vector<Row> rows(std::uint32_t statement, const Row& values = {});
    /// The one integer of a query that must succeed.
    std::int64_t integer(std::uint32_t statement, const Row& values = {});

    /// A unit that a gate holds on to; the first call prepares it.
    std::uint32_t gate_statement();

    /// Closes the store; what was submitted stays readable.
    void close();
    /// Calls `visit` with every unit of this session.
    void each_pending(const std::function<void(const Pending&)>& visit) const;

 private:
    std::uint32_t add(std::string_view text, Kind kind);

    const Context& context_;
    const std::string config_;
    pc_store* store_ = nullptr;
    std::atomic<std::uint32_t> next_id_{1};
    std::uint32_t gate_statement_ = 0;
    mutable std::mutex mutex_;
    std::deque<std::unique_ptr<Pending>> pending_;
    std::atomic<bool> abandoned_{false};
};

/// Holds the storage's answering thread in `done` until it is opened: units that are submitted
/// meanwhile wait together, so a storage that commits in groups takes them as one group. Submitted
/// from a thread of its own, because a storage may answer before submit returns.
class Gate {
 public:
    explicit Gate(Session& session);
    ~Gate();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    void open();

 private:
    /// Shared with the answer, which may still be on its way out when the gate is gone.
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        bool held = false;
        bool open = false;
    };
    const std::shared_ptr<State> state_ = std::make_shared<State>();
    std::thread thread_;
};

/// Submits the units behind a gate; the answers are in the order of the units.
std::vector<Answer> submit_together(Session& session, std::vector<Unit> units);

/// Runs `work(0) … work(count - 1)` on a thread each; rethrows the first exception.
void in_parallel(int count, const std::function<void(int)>& work);

}  // namespace paperclip::check
