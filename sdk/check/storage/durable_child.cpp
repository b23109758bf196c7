#include "durable_load.hpp"

#include <cstdlib>
#include <unistd.h>

namespace paperclip::check {
namespace {

/// One line to the parent, in one write, so that lines of different threads do not mix. Without a
/// parent the write kills this process, as it should.
void tell(const std::string& line) {
    const std::string text = line + "\n";
    if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::_Exit(3);
}

[[noreturn]] void give_up(const std::string& why) {
    tell("e " + why);
    std::_Exit(2);
}

/// Threads that work until this process is killed: when one cannot, the parent hears of it at once.
void for_ever(int count, const std::function<void(int)>& work) {
    in_parallel(count, [&](int thread) {
        try {
            work(thread);
        } catch (const std::exception& e) {
            give_up(e.what());
        }
    });
}

/// Units of one worker, the next when the last is answered, for ever.
class Worker {
 public:
    Worker(Session& session, int id)
        : session_(session),
          id_(id),
          count_(session.write("update kit_count set n = ?2 where worker = ?1 and n = ?2 - 1")),
          log_(session.write("insert into kit_log (worker, n) values (?1, ?2)")),
          pair_(session.write("insert into kit_pair (worker, n) values (?1, ?2)")),
          own_(session.write("insert into kit_key (id, owner) select ?1, ?2 "
                             "where not exists (select 1 from kit_key where id = ?1)")),
          n_(session.integer(session.read("select n from kit_count where worker = ?1"), {id})) {}

    void work() {
        for (;;) {
            ++n_;
            const Step log{log_, {id_, n_}, 1};
            const Step pair{pair_, {id_, n_}, 1};
            const Step count{count_, {id_, n_}, 1};
            run({{log, count, pair}, n_ % 3 == 0 ? unit_id() : std::string()}, PC_OK,
                [this](const Answer&) { tell("l " + word(id_) + word(n_)); });
            // All workers are near the same number, so most of them lose.
            run({{{own_, {n_ / 2, id_}, 1}}}, PC_CONFLICT, [this](const Answer& answer) {
                const bool mine = answer.status == PC_OK;
                tell(mine ? "o " + word(n_ / 2) + word(id_) : "c " + word(n_ / 2));
            });
        }
    }

 private:
    static std::string word(std::int64_t number) { return std::to_string(number) + " "; }
    [[nodiscard]] std::string unit_id() const { return "w" + word(id_) + word(n_); }

    void run(const Unit& unit, pc_status also, const Pending::OnAnswer& applied) {
        const auto good = [also](pc_status status) { return status == PC_OK || status == also; };
        for (;;) {
            const Answer answer =
                session_.wait(session_.submit_async(unit, [&](const Answer& told) {
                    if (good(told.status)) applied(told);
                }));
            if (good(answer.status)) return;
            if (answer.status != PC_RETRY) {
                give_up("a unit was answered " + status_name(answer.status) + ": " +
                        answer.message);
            }
        }
    }

    Session& session_;
    const std::int64_t id_;
    const std::uint32_t count_, log_, pair_, own_;
    std::int64_t n_;
};

void load(Session& session) {
    for_ever(k_load_workers + 1, [&](int id) {
        if (id < k_load_workers) {
            Worker(session, id).work();
            return;
        }
        // Checkpoints beside the load: a kill may hit one.
        const auto count = session.read("select count(*) from kit_log");
        for (std::int64_t last = 0;;) {
            const auto now = session.integer(count);
            if (now < last + 50) {
                std::this_thread::yield();
                continue;
            }
            last = now;
            pc_error error{};
            error.struct_size = sizeof error;
            if (session.context().storage.checkpoint(session.store(), &error) != PC_OK) {
                give_up(std::string("checkpoint: ") + error.message);
            }
        }
    });
}

void migrate_for_ever(Session& session) {
    std::int64_t n = session.integer(session.read("select n from kit_version"));
    for (;;) {
        ++n;
        const std::string table = migration_table(n);
        std::string script = "create table " + table + " (id {int} primary key){strict};";
        for (int i = 0; i < k_migration_rows; ++i) {
            script += "insert into " + table + " (id) values (" + std::to_string(i) + ");";
        }
        session.script(script + "update kit_version set n = " + std::to_string(n));
        tell("m " + std::to_string(n));
    }
}

void migrate(Session& session) {
    for_ever(2, [&](int thread) {
        if (thread == 0) {
            migrate_for_ever(session);
            return;
        }
        // Told between the migrations alone, the kill would always hit the beginning of the next.
        const auto version = session.read("select n from kit_version");
        for (;;) {
            session.integer(version);
            tell("b");
        }
    });
}

}  // namespace

int run_child(const pc_storage& storage, std::span<const std::string> arguments) {
    if (arguments.size() != 2) give_up("expected a mode and a configuration");
    try {
        const Options options{};
        const Context context{storage, options};
        Session session(context, arguments[1]);
        arguments[0] == "migrate" ? migrate(session) : load(session);
    } catch (const std::exception& e) {
        give_up(e.what());
    }
    return 1;
}

}  // namespace paperclip::check
