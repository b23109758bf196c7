#include "sdk/check/storage/session.hpp"
#include "tests/faults/storage/kit_options.hpp"
#include "tests/faults/storage/power_disk.hpp"

#include <fstream>

#include <catch2/catch.hpp>
#include <paperclip/cpp/plugin.hpp>

namespace paperclip::test {
namespace {

namespace fs = std::filesystem;
using check::Answer;
using check::Session;

const check::Options k_options{};
const check::Context& context() {
    static const check::Context context{sqlite_table(), k_options};
    return context;
}

constexpr const char* k_tables =
    "create table kit_a (id {int} primary key){strict};"
    "create table kit_b (id {int} primary key, pad text not null){strict};"
    "create table kit_key (id {int} primary key){strict}";
constexpr int k_script_rows = 20;
constexpr int k_units = PAPERCLIP_TEST_EFFORT < 1 ? 12 : 30;  // of each thread

std::string script_table(std::int64_t n) {
    return "kit_script" + std::to_string(n);
}

/// Units, conflicts, scripts, checkpoints of all kinds and a backup, each marked in the recorder
/// from within its answer.
class Load {
 public:
    Load(DiskRecorder& recorder, fs::path folder)
        : recorder_(recorder), folder_(std::move(folder)) {}

    void run() {
        const std::string config = sqlite_config(folder_ / "store.db");
        {
            Session session(context(), config);
            session.script(k_tables);
            recorder_.mark("tables");
            check::in_parallel(
                5, [&](int thread) { thread < 4 ? units(session, thread) : others(session); });
        }
        recorder_.mark("closed");
        Session again(context(), config);
        units(again, 4);
    }

 private:
    void units(Session& session, int thread) {
        const auto a = session.write("insert into kit_a (id) values (?1)");
        const auto b = session.write("insert into kit_b (id, pad) values (?1, ?2)");
        const auto own = session.write(
            "insert into kit_key (id) select ?1 "
            "where not exists (select 1 from kit_key where id = ?1)");
        std::vector<check::Pending*> pending;
        for (std::int64_t i = 0; i < k_units; ++i) {
            const std::int64_t n = thread * 100 + i;
            // Of several sizes: some commits write one page, some many.
            const std::string pad(static_cast<std::size_t>(i % 4 == 3 ? 9'000 : 200), 'p');
            pending.push_back(&session.submit_async(
                {{{a, {n}, 1}, {b, {n, pad}, 1}}, i % 2 == 0 ? "unit " + std::to_string(n) : ""},
                [this, n](const Answer& answer) {
                    if (answer.status == PC_OK) recorder_.mark("unit", n);
                }));
            // Most of these meet what another thread did: a conflict says that the key is there.
            pending.push_back(
                &session.submit_async({{{own, {i}, 1}}}, [this, i](const Answer& answer) {
                    if (answer.status == PC_OK || answer.status == PC_CONFLICT)
                        recorder_.mark("key", i);
                }));
            if (i % 3 == 2) {
                for (auto* each : pending) session.wait(*each);
            }
        }
        for (auto* each : pending) session.wait(*each);
    }

    void others(Session& session) {
        for (std::int64_t n = 0; n < 4; ++n) {
            std::string script =
                "create table " + script_table(n) + " (id {int} primary key){strict};";
            for (int i = 0; i < k_script_rows; ++i) {
                script +=
                    "insert into " + script_table(n) + " (id) values (" + std::to_string(i) + ");";
            }
            session.script(script);
            recorder_.mark("script", n);
            if (n % 2 == 0) {
                pc_error error{};
                error.struct_size = sizeof error;
                REQUIRE(sqlite_table().checkpoint(session.store(), &error) == PC_OK);
            } else {
                passive_checkpoint();
            }
            if (n == 2) backup(session);
        }
    }
    /// Leaves the log where it is, so that the next commit begins it anew.
    void passive_checkpoint() const {
        sqlite3* database = nullptr;
        sqlite3_open((folder_ / "store.db").c_str(), &database);
        sqlite3_wal_checkpoint_v2(database, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
        sqlite3_close(database);
    }
    void backup(Session& session) {
        pc_error error{};
        error.struct_size = sizeof error;
        const std::string path = (folder_ / "backup").string();
        const auto before = session.integer(session.read("select count(*) from kit_a"));
        REQUIRE(sqlite_table().backup(session.store(), sdk::str(path), &error) == PC_OK);
        recorder_.mark("backup", before);
    }

    DiskRecorder& recorder_;
    const fs::path folder_;
};

/// What was promised up to some moment.
struct Promises {
    std::vector<std::int64_t> units, keys, scripts;
    bool tables = false;
    bool backup = false;
    bool restored = false;

    void take(const DiskEvent& mark) {
        if (mark.name == "tables") tables = true;
        if (mark.name == "unit") units.push_back(mark.number);
        if (mark.name == "key") keys.push_back(mark.number);
        if (mark.name == "script") scripts.push_back(mark.number);
        if (mark.name == "backup") backup = true;
        if (mark.name == "restored") restored = true;
    }
};

void check_rows(Session& session, const Promises& promises) {
    const auto has_a = session.read("select count(*) from kit_a where id = ?1");
    const auto has_key = session.read("select count(*) from kit_key where id = ?1");
    for (const auto n : promises.units) {
        check::expect_equal("acknowledged unit " + std::to_string(n), 1,
                            session.integer(has_a, {n}));
    }
    for (const auto n : promises.keys) {
        check::expect_equal("what was told of key " + std::to_string(n), 1,
                            session.integer(has_key, {n}));
    }
    const auto halves = session.read(
        "select (select count(*) from kit_a where id not in (select id from kit_b)) + "
        "(select count(*) from kit_b where id not in (select id from kit_a))");
    check::expect_equal("units that are there by half", 0, session.integer(halves));
    for (const auto n : promises.scripts) {
        const auto rows = session.read("select count(*) from " + script_table(n));
        check::expect_equal("rows of script " + std::to_string(n), k_script_rows,
                            session.integer(rows));
    }
    for (std::int64_t n = 0; n < 4; ++n) {
        const auto rows = session.query(session.read("select count(*) from " + script_table(n)));
        if (rows.status != PC_OK) continue;
        check::expect_rows("rows of a script", {{k_script_rows}}, rows.rows);
    }
    check::expect_rows("integrity", {{std::string("ok")}},
                       session.rows(session.read("pragma integrity_check")));
}

void expect_sound_backup(const fs::path& path) {
    pc_error error{};
    error.struct_size = sizeof error;
    const auto status = sqlite_table().verify(sdk::str(path.native()), &error);
    check::expect_status("the backup", PC_OK, status, error.message);
}

/// Throws when what a power failure left in the folder is not what was promised.
void check_load(const fs::path& folder, const Promises& promises) {
    if (promises.backup) expect_sound_backup(folder / "backup");
    Session session(context(), sqlite_config(folder / "store.db"));
    const auto tables = session.query(session.read("select count(*) from kit_a"));
    if (tables.status != PC_OK && !promises.tables) return;
    check_rows(session, promises);
}

using Check = void (*)(const fs::path& folder, const Promises& promises);

/// Fails the power before and after every sync of a recording and after every promise, and looks at
/// what is left.
class PowerFailures {
 public:
    enum class Until { end, first_loss };

    PowerFailures(const DiskRecorder& recording, const Lies& lies, Check check,
                  Until until = Until::end)
        : check_(check), disk_(recording.before(), lies) {
        for (const DiskEvent& event : recording.events()) {
            if (until == Until::first_loss && !losses_.empty()) break;
            using Kind = DiskEvent::Kind;
            const bool sync = event.kind == Kind::sync_file || event.kind == Kind::sync_folder;
            const bool mark = event.kind == Kind::mark;
            if (sync) fail("before a sync");
            disk_.apply(event);
            if (mark) promises_.take(event);
            if (sync) fail("after a sync");
            if (mark) fail("after a promise");
            syncs_ += sync ? 1 : 0;
        }
    }
    [[nodiscard]] int syncs() const { return syncs_; }
    [[nodiscard]] const std::vector<std::string>& losses() const { return losses_; }
    [[nodiscard]] std::string text() const {
        std::string out = std::to_string(losses_.size()) + " losses at " +
                          std::to_string(moments_) + " moments, " + std::to_string(syncs_) +
                          " syncs";
        for (std::size_t i = 0; i < std::min<std::size_t>(5, losses_.size()); ++i) {
            out += "\n" + losses_[i];
        }
        return out;
    }

 private:
    void fail(const char* when) {
        // The whole is long: sanitized builds leave the other ways to fail to every eighth moment.
        const bool thorough = PAPERCLIP_TEST_EFFORT >= 1 || moments_ % 8 == 0;
        ++moments_;
        look(when, "nothing unsynced survives", Survives::nothing);
        if (!thorough) return;
        look(when, "everything survives", Survives::everything);
        look(when, "some of it survives", Survives::some);
        look(when, "other parts survive", Survives::some);
        look(when, "what came first survives", Survives::first);
    }
    void look(const char* when, const char* how, Survives survives) {
        for (const auto& entry : fs::directory_iterator(folder_.path())) fs::remove(entry.path());
        for (const auto& [name, content] : disk_.after_failure(survives, random_)) {
            std::ofstream(folder_.path() / name, std::ios::binary) << content;
        }
        try {
            check_(folder_.path(), promises_);
        } catch (const std::exception& loss) {
            losses_.push_back("moment " + std::to_string(moments_) + ", " + when + ", " + how +
                              ": " + loss.what());
        }
    }

    const Check check_;
    PowerDisk disk_;
    TempFolder folder_;
    Promises promises_;
    std::mt19937 random_{1};
    int syncs_ = 0;
    int moments_ = 0;
    std::vector<std::string> losses_;
};

bool finds_loss(const DiskRecorder& recording, const Lies& lies, Check check) {
    const PowerFailures failures(recording, lies, check, PowerFailures::Until::first_loss);
    return !failures.losses().empty();
}

/// Lets every connection of this process open with another `synchronous` than it asks for.
class Synchronous {
 public:
    explicit Synchronous(const char* pragma) {
        wanted() = pragma;
        sqlite3_auto_extension(entry());
    }
    ~Synchronous() { sqlite3_cancel_auto_extension(entry()); }
    Synchronous(const Synchronous&) = delete;
    Synchronous& operator=(const Synchronous&) = delete;

 private:
    static const char*& wanted() {
        static const char* pragma = nullptr;
        return pragma;
    }
    static int ignore(void*, int action, const char* name, const char*, const char*, const char*) {
        const bool it = action == SQLITE_PRAGMA && sqlite3_stricmp(name, "synchronous") == 0;
        return it ? SQLITE_IGNORE : SQLITE_OK;
    }
    static int set_up(sqlite3* database, const char**, const sqlite3_api_routines*) {
        sqlite3_exec(database, wanted(), nullptr, nullptr, nullptr);
        sqlite3_set_authorizer(database, ignore, nullptr);
        return SQLITE_OK;
    }
    static void (*entry())() { return reinterpret_cast<void (*)()>(set_up); }
};

struct Recording {
    TempFolder folder;
    DiskRecorder recorder{folder.path()};

    Recording() {
        const HookedFiles hooked(recorder);
        Load(recorder, folder.path()).run();
    }
};

/// A store as a crash left it, with its log beside it, and a backup of an earlier state.
class Restoring {
 public:
    static constexpr int k_old = 10;
    static constexpr int k_new = 4;

    Restoring() {
        const TempFolder first;
        {
            Session session(context(), sqlite_config(first / "store.db"));
            session.script("create table kit_a (id {int} primary key){strict}");
            const auto insert = session.write("insert into kit_a (id) values (?1)");
            for (int i = 0; i < k_new; ++i) session.apply(insert, {i}, 1);
            pc_error error{};
            error.struct_size = sizeof error;
            const std::string path = (first / "backup").string();
            REQUIRE(sqlite_table().backup(session.store(), sdk::str(path), &error) == PC_OK);
            for (int i = k_new; i < k_old; ++i) session.apply(insert, {i}, 1);
            for (const char* name : {"store.db", "store.db-wal", "backup"}) {
                fs::copy(first / name, folder_ / name);
            }
        }
        recorder_ = std::make_unique<DiskRecorder>(folder_.path());
        const HookedFiles hooked(*recorder_);
        const std::string config = sqlite_config(folder_ / "store.db");
        const std::string path = (folder_ / "backup").string();
        pc_error error{};
        error.struct_size = sizeof error;
        const auto status = sqlite_table().restore(sdk::str(config), sdk::str(path), &error);
        INFO(error.message);
        REQUIRE(status == PC_OK);
        recorder_->mark("restored");
    }
    [[nodiscard]] const DiskRecorder& recorder() const { return *recorder_; }

    static void check(const fs::path& folder, const Promises& promises) {
        expect_sound_backup(folder / "backup");
        Session session(context(), sqlite_config(folder / "store.db"));
        const auto found = session.integer(session.read("select count(*) from kit_a"));
        check::expect(found == k_new || (found == k_old && !promises.restored),
                      "units: expected " + std::to_string(k_new) + " or, before it is restored, " +
                          std::to_string(k_old) + ", found " + std::to_string(found));
        check::expect_rows("integrity", {{std::string("ok")}},
                           session.rows(session.read("pragma integrity_check")));
    }

 private:
    TempFolder folder_;
    std::unique_ptr<DiskRecorder> recorder_;
};

}  // namespace

TEST_CASE("what was promised survives a power failure at every sync") {
    const Recording recording;
    const PowerFailures failures(recording.recorder, {}, check_load);
    INFO(failures.text());
    CHECK(failures.losses().empty());
    CHECK(failures.syncs() > 30);
}

TEST_CASE("a disk that only pretends to sync is found out") {
    const Recording recording;
    for (const Lies lies : {Lies{.log = true}, Lies{.files = true}, Lies{.folder = true}}) {
        INFO("log " << lies.log << ", files " << lies.files << ", folder " << lies.folder);
        CHECK(finds_loss(recording.recorder, lies, check_load));
    }
}

TEST_CASE("a store that syncs less than it says is found out") {
    const char* const pragma = GENERATE("pragma synchronous = normal", "pragma synchronous = off");
    INFO(pragma);
    const Synchronous synchronous(pragma);
    const Recording recording;
    CHECK(finds_loss(recording.recorder, {}, check_load));
}

TEST_CASE("a power failure during a restore leaves the old store or the new one") {
    const Restoring restoring;
    const PowerFailures failures(restoring.recorder(), {}, Restoring::check);
    INFO(failures.text());
    CHECK(failures.losses().empty());
    CHECK(failures.syncs() > 3);
    CHECK(finds_loss(restoring.recorder(), {.folder = true}, Restoring::check));
}

}  // namespace paperclip::test
