#include "sdk/check/storage/session.hpp"
#include "tests/faults/storage/kit_options.hpp"
#include "tests/faults/storage/test_vfs.hpp"

#include <map>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

using check::Answer;
using check::Session;
using check::Unit;
using Kind = FileCall::Kind;

struct Fault {
    const char* what;
    Kind kind;
    int code;
    pc_status status;
};
constexpr Fault k_faults[] = {
    {"a full disk", Kind::write, SQLITE_FULL, PC_FULL},
    {"a device that does not write", Kind::write, SQLITE_IOERR_WRITE, PC_IO},
    {"a device that does not sync", Kind::sync, SQLITE_IOERR_FSYNC, PC_IO},
    {"a file system that became read-only", Kind::write, SQLITE_READONLY, PC_READ_ONLY},
    {"a device that does not truncate", Kind::truncate, SQLITE_IOERR_TRUNCATE, PC_IO},
    {"a device that does not read", Kind::read, SQLITE_IOERR_READ, PC_IO},
    {"files that do not open", Kind::open, SQLITE_CANTOPEN, PC_IO},
    {"shared memory that cannot be had", Kind::map_shared, SQLITE_IOERR_SHMMAP, PC_IO},
    {"memory that cannot be had", Kind::write, SQLITE_IOERR_NOMEM, PC_RETRY},
};

/// Fails the n-th call of the fault's kind, and the following ones too if it lasts.
class FaultyFiles : public FileHooks {
 public:
    FaultyFiles(const Fault& fault, int nth, bool lasts)
        : fault_(fault), nth_(nth), lasts_(lasts) {}

    int call(const FileCall& call, const std::function<int()>& real) override {
        if (call.kind != fault_.kind || healed_) return real();
        const int n = ++calls_;
        if (n < nth_ || (n > nth_ && !lasts_)) return real();
        hit_ = true;
        return fault_.code;
    }
    void heal() { healed_ = true; }
    [[nodiscard]] bool hit() const { return hit_; }

 private:
    const Fault& fault_;
    const int nth_;
    const bool lasts_;
    std::atomic<int> calls_{0};
    std::atomic<bool> hit_{false};
    std::atomic<bool> healed_{false};
};

/// Pairs of rows that units insert, and what was said of each unit.
class Ledger {
 public:
    static constexpr const char* k_tables =
        "create table if not exists kit_a (id {int} primary key){strict};"
        "create table if not exists kit_b (id {int} primary key, pad text not null){strict};"
        "create table if not exists kit_gate (n {int} not null){strict}";

    explicit Ledger(Session& session)
        : a_(session.write("insert into kit_a (id) values (?1)")),
          b_(session.write("insert into kit_b (id, pad) values (?1, ?2)")) {}

    [[nodiscard]] Unit unit(std::int64_t n) const {
        return {{{a_, {n}, 1}, {b_, {n, std::string(300, 'p')}, 1}}, "unit " + std::to_string(n)};
    }

 private:
    std::uint32_t a_, b_;
};

class Workload {
 public:
    Workload(const Fault& fault, int nth, bool lasts)
        : fault_(fault), files_(fault, nth, lasts), hooked_(files_) {}

    /// Whether the fault was met at all.
    bool run() {
        {
            auto session =
                through_fault([&] { return std::make_unique<Session>(context_, config_); });
            through_fault([&] {
                std::string message;
                const auto status = session->try_script(Ledger::k_tables, &message);
                if (status != PC_OK) throw check::NotOpened(status, message);
                return session->gate_statement();
            });
            const Ledger ledger(*session);
            load(*session, ledger);
            files_.heal();  // what is there is looked at on a device that is well
            settle(*session, ledger);
            check(*session);
        }
        const bool hit = files_.hit();
        files_.heal();
        Session again(context_, config_);
        check(again);
        check_integrity();
        return hit;
    }

 private:
    /// What fails, fails for the fault's reason; then the device is well again and it succeeds.
    template <class Call>
    auto through_fault(const Call& call) -> decltype(call()) {
        for (int attempt = 0; attempt < 20; ++attempt) {
            try {
                return call();
            } catch (const check::NotOpened& failure) {
                check::expect_status("a call that met the fault", fault_.status, failure.status(),
                                     failure.what());
            }
            files_.heal();
        }
        return call();
    }

    void load(Session& session, const Ledger& ledger) {
        const auto count = session.read("select count(*) from kit_a");
        int failures = 0;
        std::int64_t n = 0;
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 3; ++i, ++n) note(n, session.submit(ledger.unit(n)));
            std::vector<Unit> group;
            for (int i = 0; i < 4; ++i) group.push_back(ledger.unit(n + i));
            for (const Answer& answer : check::submit_together(session, std::move(group)))
                note(n++, answer);
            pc_error error{};
            error.struct_size = sizeof error;
            expect_class("checkpoint", context_.storage.checkpoint(session.store(), &error),
                         error.message);
            const auto result = session.query(count);
            expect_class("a query", result.status, result.message);
            if (files_.hit() && ++failures == 2) files_.heal();
        }
    }
    void expect_class(const std::string& what, pc_status status, const std::string& message) const {
        if (status != PC_OK) check::expect_status(what, fault_.status, status, message);
    }
    void note(std::int64_t n, const Answer& answer) {
        expect_class("a unit", answer.status, answer.message);
        told_[n] = answer.status;
    }
    /// What was not acknowledged is submitted again, under the same id.
    void settle(Session& session, const Ledger& ledger) {
        check(session);
        for (auto& [n, status] : told_) {
            if (status == PC_OK) continue;
            session.apply(ledger.unit(n));
            status = PC_OK;
        }
    }

    void check(Session& session) {
        const auto both = session.read(
            "select kit_a.id from kit_a join kit_b on kit_a.id = kit_b.id order by kit_a.id");
        const auto all = session.read("select count(*) from kit_a");
        const auto all_b = session.read("select count(*) from kit_b");
        std::map<std::int64_t, bool> there;
        for (const auto& row : session.rows(both)) there[std::get<std::int64_t>(row[0])] = true;
        const auto pairs = static_cast<std::int64_t>(there.size());
        check::expect_equal("rows of whole units in kit_a", pairs, session.integer(all));
        check::expect_equal("rows of whole units in kit_b", pairs, session.integer(all_b));
        for (const auto& [n, status] : told_) {
            // After PC_IO it may be there or not.
            if (status == PC_IO) continue;
            check::expect_equal(
                "unit " + std::to_string(n) + ", answered " + check::status_name(status),
                status == PC_OK ? 1 : 0, there.contains(n) ? 1 : 0);
        }
    }
    void check_integrity() {
        sqlite3* database = nullptr;
        REQUIRE(sqlite3_open((folder_ / "store.db").c_str(), &database) == SQLITE_OK);
        std::string found;
        sqlite3_exec(
            database, "pragma integrity_check",
            [](void* out, int, char** values, char**) {
                static_cast<std::string*>(out)->append(values[0]);
                return 0;
            },
            &found, nullptr);
        sqlite3_close(database);
        CHECK(found == "ok");
    }

    const Fault& fault_;
    TempFolder folder_;
    const std::string config_ = sqlite_config(folder_ / "store.db");
    const check::Options options_{};
    const check::Context context_{sqlite_table(), options_};
    FaultyFiles files_;
    HookedFiles hooked_;
    std::map<std::int64_t, pc_status> told_;
};

}  // namespace

TEST_CASE("a device that fails at any call is named, loses nothing and may recover") {
    // Sanitized builds look at every so-manieth call.
    const int stride = PAPERCLIP_TEST_EFFORT < 1 ? 7 : 1;
    for (const Fault& fault : k_faults) {
        for (const bool lasts : {false, true}) {
            DYNAMIC_SECTION(fault.what << (lasts ? ", for a while" : ", once")) {
                int nth = 1;
                bool hit = true;
                while (hit) {
                    INFO("at call " << nth);
                    try {
                        hit = Workload(fault, nth, lasts).run();
                    } catch (const std::exception& failure) {
                        FAIL(failure.what());
                    }
                    nth += stride;
                }
                CHECK(nth > 1 + stride);  // met at least once
            }
        }
    }
}

}  // namespace paperclip::test
