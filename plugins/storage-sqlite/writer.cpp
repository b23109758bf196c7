#include "writer.hpp"

#include <algorithm>
#include <pthread.h>

#include <paperclip/cpp/fail_point.hpp>
#include <paperclip/cpp/plugin.hpp>

namespace paperclip::sqlite {
namespace {

// More would only delay the first unit of the group; a group of this size is already CPU-bound.
constexpr std::size_t k_max_group = 512;
constexpr std::chrono::minutes k_forget_every{10};

/// Did this failure end the transaction that everybody shares?
bool is_fatal(pc_status status) {
    return status == PC_FULL || status == PC_IO || status == PC_CORRUPT || status == PC_READ_ONLY ||
           status == PC_RETRY;
}

}  // namespace

Writer::Writer(const std::string& path, const Texts& texts)
    : connection_(path, Connection::Role::writer, texts),
      page_bytes_(connection_.pragma("page_size")) {
    connection_.execute(
        "create table if not exists pc_unit_done ("
        "id text primary key, at integer not null) without rowid");
    sqlite3_wal_hook(
        connection_.handle(),
        [](void* self, sqlite3*, const char*, int pages) {
            auto& writer = *static_cast<Writer*>(self);
            writer.log_bytes_ = pages * writer.page_bytes_;
            return SQLITE_OK;
        },
        this);
    thread_ = std::thread([this] { work(); });
    checkpointer_ = std::thread([this, path] { checkpoint_work(path); });
}

Writer::~Writer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    checkpoint_wake_.notify_all();
    thread_.join();
    checkpointer_.join();
    sqlite3_exec(connection_.handle(), "pragma optimize", nullptr, nullptr, nullptr);
}

bool Writer::submit(const pc_unit& unit) {
    const auto deadline = unit.timeout_us > 0 ? std::chrono::steady_clock::now() +
                                                    std::chrono::microseconds(unit.timeout_us)
                                              : SteadyTime::max();
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return false;
        queue_.push_back({&unit, deadline});
    }
    wake_.notify_one();
    return true;
}

void Writer::exclusive(const std::function<void(Connection&)>& work) {
    Exclusive job{&work, nullptr};
    std::unique_lock lock(mutex_);
    if (stopping_) throw sdk::Failure(PC_CLOSED, "the store is closing");
    exclusives_.push_back(&job);
    wake_.notify_one();
    exclusive_done_.wait(lock, [&] { return job.done; });
    if (job.error) std::rethrow_exception(job.error);
}

Writer::Counters Writer::counters() const {
    const std::lock_guard lock(mutex_);
    Counters counters = counters_;
    counters.queued = queue_.size();
    return counters;
}

void Writer::work() {
    pthread_setname_np(pthread_self(), "sqlite-writer");
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return stopping_ || !queue_.empty() || !exclusives_.empty(); });
        if (!exclusives_.empty()) {
            Exclusive& job = *exclusives_.front();
            exclusives_.pop_front();
            lock.unlock();
            try {
                (*job.work)(connection_);
            } catch (...) {
                job.error = std::current_exception();
                roll_back();
            }
            lock.lock();
            job.done = true;
            exclusive_done_.notify_all();
            continue;
        }
        if (queue_.empty()) return;
        std::deque<Queued> group;
        if (queue_.size() <= k_max_group) {
            group.swap(queue_);
        } else {
            const auto end = queue_.begin() + k_max_group;
            group.assign(queue_.begin(), end);
            queue_.erase(queue_.begin(), end);
        }
        lock.unlock();
        commit_group(group);
        lock.lock();
        counters_.units += group.size();
        ++counters_.commits;
    }
}

void Writer::commit_group(const std::deque<Queued>& group) {
    const auto now = std::chrono::steady_clock::now();
    std::vector<Answer> answers;
    answers.reserve(group.size());
    for (const auto& [unit, deadline] : group) {
        answers.push_back({.unit = unit});
        if (deadline < now) {
            answers.back().status = PC_TIMEOUT;
            answers.back().message = "not begun before its deadline";
        }
    }
    try {
        connection_.run(Control::begin);
        if (now - forgot_at_ > k_forget_every) forget_old_units();
        bool alive = true;
        for (auto& answer : answers) {
            if (!alive) break;
            if (answer.status == PC_OK) alive = apply(answer);
            if (!alive) fail_group(answers, answer.status, answer.message, answer.code);
        }
        sdk::fail_point("inside-group-commit");
        if (alive) connection_.run(Control::commit);
    } catch (const sdk::Failure& failure) {
        fail_group(answers, failure.status(), failure.what(), failure.code());
    }
    roll_back();  // a transaction that is still open has failed
    limit_log();
    for (const auto& answer : answers) tell(answer);
}

bool Writer::apply(Answer& answer) {
    connection_.run(Control::savepoint);
    bool alive = true;
    bool applied = false;
    try {
        applied = apply_steps(answer);
    } catch (const sdk::Failure& failure) {
        answer.status = failure.status();
        answer.message = failure.what();
        answer.code = failure.code();
        // SQLite itself gives up the whole transaction on some errors.
        alive = !is_fatal(answer.status) && connection_.in_transaction();
    }
    if (!alive) return false;
    if (!applied) connection_.run(Control::undo);
    connection_.run(Control::release);
    return true;
}

bool Writer::apply_steps(Answer& answer) {
    const pc_unit& unit = *answer.unit;
    if (unit.id.size > 0 && already_applied(sdk::view(unit.id))) return true;
    for (answer.step = 0; answer.step < unit.step_count; ++answer.step) {
        const pc_step& step = unit.steps[answer.step];
        const auto row = [&](const pc_value* values, std::uint32_t count) {
            if (unit.row != nullptr) unit.row(unit.ctx, answer.step, values, count);
            return 0;
        };
        const std::int64_t rows =
            connection_.run(step.statement, step.values, step.value_count, row);
        if (step.expect != PC_ANY_ROWS && rows != step.expect) {
            answer.status = PC_CONFLICT;
            answer.message =
                "expected " + std::to_string(step.expect) + " rows, found " + std::to_string(rows);
            return false;
        }
    }
    answer.step = 0;
    return true;
}

bool Writer::already_applied(std::string_view unit_id) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(connection_.handle(),
                           "insert or ignore into pc_unit_done (id, at) values (?1, unixepoch())",
                           -1, &statement, nullptr) != SQLITE_OK) {
        fail(connection_.handle(), "unit id");
    }
    sqlite3_bind_text(statement, 1, unit_id.data(), static_cast<int>(unit_id.size()),
                      SQLITE_STATIC);
    const int code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE) fail(connection_.handle(), "unit id");
    return sqlite3_changes64(connection_.handle()) == 0;
}

void Writer::fail_group(std::vector<Answer>& answers, pc_status status, const std::string& message,
                        int code) {
    roll_back();
    for (auto& answer : answers) {
        // A conflict may have been caused by a neighbour that is now undone: it is no answer
        // either.
        if (answer.status == PC_TIMEOUT) continue;
        answer.status = status == PC_CONSTRAINT || status == PC_INVALID ? PC_RETRY : status;
        answer.message = message;
        answer.code = code;
    }
}

void Writer::roll_back() noexcept {
    if (connection_.in_transaction()) {
        sqlite3_exec(connection_.handle(), "rollback", nullptr, nullptr, nullptr);
    }
}

void Writer::tell(const Answer& answer) noexcept {
    pc_error error{};
    error.struct_size = sizeof error;
    sdk::set_error(&error, answer.message, answer.code);
    answer.unit->done(answer.unit->ctx, answer.status, answer.step, &error);
}

void Writer::forget_old_units() {
    forgot_at_ = std::chrono::steady_clock::now();
    connection_.execute("delete from pc_unit_done where at < unixepoch() - 3600");
}

void Writer::limit_log() {
    if (log_bytes_ >= k_restart_bytes) {
        sqlite3_wal_checkpoint_v2(connection_.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                  nullptr, nullptr);
    } else if (log_bytes_ >= k_checkpoint_bytes) {
        const std::lock_guard lock(mutex_);
        checkpoint_wanted_ = true;
        checkpoint_wake_.notify_one();
    }
}

void Writer::checkpoint_work(const std::string& path) {
    pthread_setname_np(pthread_self(), "sqlite-checkpt");
    Texts none;
    Connection connection(path, Connection::Role::reader, none);
    connection.execute("pragma query_only = off");
    std::unique_lock lock(mutex_);
    for (;;) {
        checkpoint_wake_.wait(lock, [&] { return stopping_ || checkpoint_wanted_; });
        if (stopping_) return;
        checkpoint_wanted_ = false;
        lock.unlock();
        sqlite3_wal_checkpoint_v2(connection.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                  nullptr);
        lock.lock();
    }
}

}  // namespace paperclip::sqlite
