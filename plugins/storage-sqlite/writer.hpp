#pragma once

#include "checkpointer.hpp"
#include "connection.hpp"
#include "deadline.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace paperclip::sqlite {

/// The one thread that writes. Whenever it is free it takes all units that wait and commits them in
/// one transaction, each in a savepoint of its own: under load the disk is asked once for many
/// units, and a lone unit never waits for company.
class Writer {
 public:
    struct Counters {
        std::uint64_t units = 0;
        std::uint64_t commits = 0;
        std::size_t queued = 0;
    };

    Writer(const std::string& path, const Texts& texts);
    /// Answers what is queued, then ends.
    ~Writer();

    /// False when the writer is closing; then `done` is not called.
    bool submit(const pc_unit& unit);
    /// Runs `work` on the writer's connection between two groups, outside of a transaction. Throws
    /// what it throws. For migrations.
    void exclusive(const std::function<void(Connection&)>& work);
    /// Empties the write-ahead log as far as readers allow, without waiting for them. In
    /// exclusive() or between groups. Throws sdk::Failure.
    void truncate_log();

    [[nodiscard]] Counters counters() const;

    /// At that size the write-ahead log is copied into the database beside the writer, which then
    /// copies the little that came meanwhile and begins the log anew; at the second size it does
    /// not wait for the copy, so that the log cannot grow without end under load.
    static constexpr std::int64_t k_checkpoint_bytes = 32 << 20;
    static constexpr std::int64_t k_restart_bytes = 256 << 20;

 private:
    struct Queued {
        const pc_unit* unit;
        SteadyTime deadline;
    };
    struct Answer {
        const pc_unit* unit;
        pc_status status = PC_OK;
        std::uint32_t step = 0;
        std::string message;
        int code = 0;
    };
    struct Exclusive {
        const std::function<void(Connection&)>* work;
        std::exception_ptr error;
        bool done = false;
    };

    void work();
    void commit_group(const std::deque<Queued>& group);
    /// Runs all steps; false when the whole transaction is lost.
    bool apply(Answer& answer);
    bool apply_steps(Answer& answer);
    bool already_applied(std::string_view unit_id);
    static void tell(const Answer& answer) noexcept;
    void fail_group(std::vector<Answer>& answers, pc_status status, const std::string& message,
                    int code);
    void roll_back() noexcept;
    void forget_old_units();

    void check_deferred(Answer& answer);
    void limit_log() noexcept;
    void empty_log(int mode);

    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    Connection connection_;
    std::unique_ptr<sqlite3_stmt, Finalize> remember_;  // inserts a unit's id
    Checkpointer checkpointer_;
    std::int64_t page_bytes_;
    std::int64_t log_bytes_ = 0;  // of the write-ahead log, as of the last commit
    std::int64_t limit_at_ = k_checkpoint_bytes;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable exclusive_done_;
    std::deque<Queued> queue_;
    std::deque<Exclusive*> exclusives_;
    bool stopping_ = false;
    Counters counters_;
    SteadyTime forgot_at_{};
    std::thread thread_;
};

}  // namespace paperclip::sqlite
