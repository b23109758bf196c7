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

sqlite3_stmt* prepare_remember(Connection& connection) {
    connection.execute(
        "create table if not exists pc_unit_done ("
        "id text primary key, at integer not null) without rowid");
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(connection.handle(),
                           "insert or ignore into pc_unit_done (id, at) values (?1, unixepoch())",
                           -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
        fail(connection.handle(), "unit id");
    }
    return statement;
}

}  // namespace

Writer::Writer(const std::string& path, const Texts& texts)
    : connection_(path, Connection::Role::writer, texts),
      remember_(prepare_remember(connection_)),
      checkpointer_(path),
      page_bytes_(connection_.pragma("page_size")) {
    sqlite3_wal_hook(
        connection_.handle(),
        [](void* self, sqlite3*, const char*, int pages) {
            auto& writer = *static_cast<Writer*>(self);
            const auto bytes = pages * writer.page_bytes_;
            if (bytes < writer.log_bytes_) writer.limit_at_ = k_checkpoint_bytes;
            writer.log_bytes_ = bytes;
            return SQLITE_OK;
        },
        this);
    thread_ = std::thread([this] { work(); });
}

Writer::~Writer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    sqlite3_exec(connection_.handle(), "pragma optimize", nullptr, nullptr, nullptr);
}

bool Writer::submit(const pc_unit& unit) {
    const auto deadline = deadline_after(unit.timeout_us);
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    queue_.push_back({&unit, deadline});
    wake_.notify_one();  // under the lock: whoever closes the store waits for it
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
    for (const auto& answer : answers) tell(answer);
    limit_log();
}

bool Writer::apply(Answer& answer) {
    connection_.run(Control::savepoint);
    bool alive = true;
    bool applied = false;
    try {
        applied = apply_steps(answer);
        if (applied) check_deferred(answer);
    } catch (const sdk::Failure& failure) {
        applied = false;
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

/// A constraint that waits for the commit would fail the whole group there: each unit answers for
/// its own before the next one begins.
void Writer::check_deferred(Answer& answer) {
    int open = 0;
    int unused = 0;
    sqlite3_db_status(connection_.handle(), SQLITE_DBSTATUS_DEFERRED_FKS, &open, &unused, 0);
    if (open == 0) return;
    answer.step = answer.unit->step_count - 1;
    throw sdk::Failure(PC_CONSTRAINT, "a row refers to a missing row",
                       SQLITE_CONSTRAINT_FOREIGNKEY);
}

bool Writer::already_applied(std::string_view unit_id) {
    sqlite3_stmt* const statement = remember_.get();
    if (sqlite3_bind_text64(statement, 1, unit_id.data(), unit_id.size(), SQLITE_STATIC,
                            SQLITE_UTF8) != SQLITE_OK) {
        fail(connection_.handle(), "unit id");
    }
    sqlite3_step(statement);
    const std::int64_t inserted = sqlite3_changes64(connection_.handle());
    if (sqlite3_reset(statement) != SQLITE_OK) fail(connection_.handle(), "unit id");
    return inserted == 0;
}

void Writer::fail_group(std::vector<Answer>& answers, pc_status status, const std::string& message,
                        int code) {
    roll_back();
    for (auto& answer : answers) {
        // A conflict may have been caused by a neighbour that is now undone: it is no answer
        // either.
        if (answer.status == PC_TIMEOUT) continue;
        // What one unit did is no fault of the others; alone, it may know.
        const bool own = status == PC_CONSTRAINT || status == PC_INVALID;
        answer.status = own && answers.size() > 1 ? PC_RETRY : status;
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

void Writer::truncate_log() {
    empty_log(SQLITE_CHECKPOINT_TRUNCATE);
}

void Writer::empty_log(int mode) {
    const auto alone = checkpointer_.pause();
    // A reader may stay for as long as it likes, and units must not stand still for it.
    connection_.wait_for_locks(false);
    const int code =
        sqlite3_wal_checkpoint_v2(connection_.handle(), nullptr, mode, nullptr, nullptr);
    connection_.wait_for_locks(true);
    const int kind = code & 0xff;
    if (kind != SQLITE_OK && kind != SQLITE_BUSY && kind != SQLITE_LOCKED) {
        fail(connection_.handle(), "checkpoint");
    }
}

void Writer::limit_log() noexcept {
    if (log_bytes_ < limit_at_) return;
    if (log_bytes_ < k_restart_bytes && !checkpointer_.copied()) return;
    // Not again with every commit, should readers be in the way.
    limit_at_ = log_bytes_ + k_checkpoint_bytes / 4;
    try {
        // The file keeps its length, because a sync is dearer where a file grows.
        empty_log(SQLITE_CHECKPOINT_RESTART);
    } catch (const sdk::Failure& failure) {
        sdk::Host::log(PC_LOG_WARN, std::string("storage-sqlite: ") + failure.what());
    }
}

}  // namespace paperclip::sqlite
