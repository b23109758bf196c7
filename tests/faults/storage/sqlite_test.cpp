#include "sdk/check/storage/session.hpp"
#include "tests/faults/storage/kit_options.hpp"
#include "tests/faults/storage/test_vfs.hpp"

#include <fstream>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <paperclip/cpp/plugin.hpp>

namespace {
/// The kind of file system that every folder seems to be on, if not 0.
std::atomic<unsigned> g_file_system{0};
}  // namespace

// In the place of the system's function: this machine has no network file system.
extern "C" int statfs64(const char* path, struct statfs64* out) noexcept {
    const auto code = static_cast<int>(::syscall(SYS_statfs, path, out));
    if (g_file_system != 0) out->f_type = g_file_system;
    return code;
}

namespace paperclip::test {
namespace {

namespace fs = std::filesystem;
using check::Session;

const check::Options k_options{};

struct Fixture {
    TempFolder folder;
    fs::path file = folder / "store.db";
    check::Context context{sqlite_table(), k_options};

    std::unique_ptr<Session> open() const {
        return std::make_unique<Session>(context, sqlite_config(file));
    }
    /// The status with which it does not open.
    [[nodiscard]] pc_status open_status() const {
        try {
            open();
            return PC_OK;
        } catch (const check::NotOpened& failure) {
            UNSCOPED_INFO(failure.what());
            return failure.status();
        }
    }
    template <class Call>
    static pc_status call(const Call& call) {
        pc_error error{};
        error.struct_size = sizeof error;
        const pc_status status = call(&error);
        UNSCOPED_INFO(error.message);
        return status;
    }
};

/// A connection of somebody else.
class Stranger {
 public:
    explicit Stranger(const fs::path& file) {
        REQUIRE(sqlite3_open(file.c_str(), &handle_) == SQLITE_OK);
    }
    ~Stranger() { sqlite3_close(handle_); }
    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;
    void run(const char* sql) {
        REQUIRE(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    }

 private:
    sqlite3* handle_ = nullptr;
};

/// Counts the waits for locks and, at one of them, does something.
class CountedWaits : public FileHooks {
 public:
    int call(const FileCall&, const std::function<int()>& real) override { return real(); }
    void slept(int) override {
        if (++waits == at) then();
    }
    std::atomic<int> waits{0};
    int at = 0;
    std::function<void()> then;
};

/// Fails every call of a kind whose path ends so, while it is on.
class Broken : public FileHooks {
 public:
    Broken(FileCall::Kind kind, std::string suffix, int code)
        : kind_(kind), suffix_(std::move(suffix)), code_(code) {}
    int call(const FileCall& call, const std::function<int()>& real) override {
        const bool hit = on && call.kind == kind_ && call.path.ends_with(suffix_);
        return hit ? code_ : real();
    }
    std::atomic<bool> on{false};

 private:
    const FileCall::Kind kind_;
    const std::string suffix_;
    const int code_;
};

constexpr const char* k_table = "create table kit_item (id {int} primary key, pad {blob}){strict}";
constexpr const char* k_insert = "insert into kit_item (id, pad) values (?1, ?2)";

}  // namespace

TEST_CASE("a store on a network file system is refused") {
    const Fixture f;
    for (const unsigned type :
         {0x6969u, 0xff534d42u, 0x517bu, 0xfe534d42u, 0x01021997u, 0x00c36400u}) {
        g_file_system = type;
        CHECK(f.open_status() == PC_ERROR);
    }
    g_file_system = 0;
    CHECK(f.open_status() == PC_OK);
}

TEST_CASE("a folder that cannot be written is PC_READ_ONLY") {
    const Fixture f;
    f.open();
    // Even root may not do everything: it looks at files as nobody does.
    REQUIRE(::chmod(f.folder.path().c_str(), 0555) == 0);
    REQUIRE(::chmod((f.file.string() + ".lock").c_str(), 0444) == 0);
    constexpr unsigned k_nobody = 65534;
    const bool root = ::geteuid() == 0;
    if (root) ::setfsuid(k_nobody);
    const auto existing = f.open_status();
    fs::path other = f.folder / "other.db";
    const auto made = Fixture::call([&](pc_error* error) {
        pc_store* store = nullptr;
        return sqlite_table().open(sdk::str(sqlite_config(other)), &store, error);
    });
    if (root) ::setfsuid(0);
    ::chmod(f.folder.path().c_str(), 0755);
    CHECK(existing == PC_READ_ONLY);
    CHECK(made == PC_READ_ONLY);
}

TEST_CASE("what cannot be a store is refused at once") {
    // Poco tries again for a minute when it is let.
    Fixture f;
    SECTION("a folder") {
        fs::create_directory(f.file);
        CHECK(f.open_status() == PC_IO);
    }
    SECTION("no folder") {
        f.file = f.folder / "missing/store.db";
        CHECK(f.open_status() == PC_IO);
    }
    SECTION("another file") {
        std::ofstream(f.file) << std::string(10'000, 'x');
        CHECK(f.open_status() == PC_CORRUPT);
    }
}

TEST_CASE("a lock that somebody else holds is waited for, then asks for another try") {
    const Fixture f;
    CountedWaits waits;
    const HookedFiles hooked(waits);
    const auto session = f.open();
    session->script(k_table);
    const auto insert = session->write(k_insert);
    Stranger stranger(f.file);
    stranger.run("begin immediate");
    CHECK(session->submit({{{insert, {1, check::Value{}}, 1}}}).status == PC_RETRY);
    CHECK(waits.waits > 1);
    waits.waits = 0;
    waits.at = 3;
    waits.then = [&] { stranger.run("rollback"); };
    CHECK(session->submit({{{insert, {1, check::Value{}}, 1}}}).status == PC_OK);
    CHECK(waits.waits == 3);
}

TEST_CASE("a reader that stays holds up no unit, and the log shrinks when it is gone") {
    const Fixture f;
    // Hundreds of MiB in fewer writes.
    Stranger(f.file).run("pragma page_size = 65536; vacuum");
    CountedWaits waits;
    const HookedFiles hooked(waits);
    const auto session = f.open();
    session->script(k_table);
    const auto insert = session->write(k_insert);
    const auto all = session->read("select id from kit_item");
    int id = 0;
    const auto write_mib = [&](int count) {
        for (int i = 0; i < count; ++i, ++id) {
            session->apply(insert, {id, check::Blob{std::string(1 << 20, 'b')}}, 1);
        }
    };
    const auto log = [&] { return fs::file_size(f.file.string() + "-wal"); };
    write_mib(2);
    session->query(all, {}, 0, [&](const check::Row&) {
        write_mib(330);  // over the size at which the writer empties the log itself
        return false;
    });
    CHECK(waits.waits == 0);
    CHECK(log() > 300u << 20);
    write_mib(40);
    CHECK(log() < 100u << 20);
    CHECK(session->integer(session->read("select count(*) from kit_item")) == id);
}

TEST_CASE("a store and its backup are for their owner alone") {
    const Fixture f;
    const auto before = ::umask(0022);
    const auto session = f.open();
    session->script(k_table);
    session->apply(session->write(k_insert), {1, check::Value{}}, 1);
    const std::string path = (f.folder / "backup").string();
    CHECK(Fixture::call([&](pc_error* error) {
              return sqlite_table().backup(session->store(), sdk::str(path), error);
          }) == PC_OK);
    ::umask(before);
    for (const auto& entry : fs::directory_iterator(f.folder.path())) {
        INFO(entry.path());
        CHECK((fs::status(entry.path()).permissions() & fs::perms(0077)) == fs::perms::none);
    }
}

TEST_CASE("a checkpoint says when the device fails") {
    const Fixture f;
    Broken broken(FileCall::Kind::write, "store.db", SQLITE_IOERR_WRITE);
    const HookedFiles hooked(broken);
    const auto session = f.open();
    session->script(k_table);
    session->apply(session->write(k_insert), {1, check::Value{}}, 1);
    const auto checkpoint = [&] {
        return Fixture::call(
            [&](pc_error* error) { return sqlite_table().checkpoint(session->store(), error); });
    };
    broken.on = true;
    CHECK(checkpoint() == PC_IO);
    broken.on = false;
    CHECK(checkpoint() == PC_OK);
}

TEST_CASE("a backup that fails leaves nothing behind") {
    const Fixture f;
    Broken broken(FileCall::Kind::write, ".tmp", SQLITE_FULL);
    const HookedFiles hooked(broken);
    const auto session = f.open();
    session->script(k_table);
    const std::string path = (f.folder / "backup").string();
    const auto backup = [&] {
        return Fixture::call([&](pc_error* error) {
            return sqlite_table().backup(session->store(), sdk::str(path), error);
        });
    };
    const auto left = [&] {
        int files = 0;
        for (const auto& entry : fs::directory_iterator(f.folder.path())) {
            if (entry.path().filename().string().starts_with("backup")) ++files;
        }
        return files;
    };
    broken.on = true;
    CHECK(backup() == PC_FULL);
    CHECK(left() == 0);
    broken.on = false;
    CHECK(backup() == PC_OK);
    CHECK(left() == 1);
}

TEST_CASE("a restore of a store that a stranger has open is refused and leaves its log") {
    const Fixture f;
    CountedWaits waits;
    const HookedFiles hooked(waits);
    const std::string path = (f.folder / "backup").string();
    {
        const auto session = f.open();
        session->script(k_table);
        Fixture::call([&](pc_error* error) {
            return sqlite_table().backup(session->store(), sdk::str(path), error);
        });
        session->apply(session->write(k_insert), {1, check::Value{}}, 1);
    }
    {
        Stranger stranger(f.file);
        stranger.run("insert into kit_item (id) values (2); begin; select * from kit_item");
        const auto config = sqlite_config(f.file);
        CHECK(Fixture::call([&](pc_error* error) {
                  return sqlite_table().restore(sdk::str(config), sdk::str(path), error);
              }) == PC_RETRY);
        stranger.run("commit");
    }
    const auto session = f.open();
    CHECK(session->integer(session->read("select count(*) from kit_item")) == 2);
}

TEST_CASE("a reader that did not open gives its place to those that wait") {
    const Fixture f;
    Broken broken(FileCall::Kind::open, "store.db", SQLITE_CANTOPEN);
    const HookedFiles hooked(broken);
    const auto session = f.open();
    const auto one = session->read("select 1");
    broken.on = true;
    check::in_parallel(32, [&](int) {
        check::expect_status("a query without its file", PC_IO, session->query(one));
    });
    broken.on = false;
    check::in_parallel(32, [&](int) { check::expect_equal("a query", 1, session->integer(one)); });
}

TEST_CASE("a script cannot leave its transaction") {
    const Fixture f;
    const auto session = f.open();
    const auto made = session->read("select count(*) from kit_item");
    for (const char* end : {"commit", "rollback", "end; begin", "begin"}) {
        INFO(end);
        std::string message;
        const std::string script =
            std::string(k_table) + ";\n" + end + ";\ninsert into kit_nowhere values (1)";
        CHECK(session->try_script(script, &message) == PC_INVALID);
        CHECK_THAT(message, Catch::Contains("line 2") && Catch::Contains("transaction"));
        CHECK(session->query(made).status == PC_INVALID);
    }
    session->script(k_table);
    session->apply(session->write(k_insert), {1, check::Value{}}, 1);
}

TEST_CASE("a script that fails names the line") {
    const Fixture f;
    const auto session = f.open();
    const auto message = [&](const char* script) {
        std::string text;
        session->try_script(script, &text);
        return text;
    };
    const std::string table = "create table kit_a (id {int}){strict};\n\n";
    CHECK_THAT(message((table + "insert into kit_a\nvalues ('x');").c_str()),
               Catch::Contains("line 3") && Catch::Contains("TEXT"));
    CHECK_THAT(message((table + "select 1,\n  nonsense(2);").c_str()),
               Catch::Contains("line 4") && Catch::Contains("nonsense"));
    CHECK(message("-- nothing but a comment\n").empty());
}

TEST_CASE("a whole real that a unit returns stays real") {
    // SQLite 3.40 hands it out as an integer behind `returning`.
    const Fixture f;
    const auto session = f.open();
    session->script("create table kit_item (id {int} primary key, v {real}){strict}");
    const auto insert =
        session->write("insert into kit_item (id, v) values (?1, ?2) returning v, id");
    const auto answer = session->apply(insert, {1, 2.0}, 1);
    CHECK(answer.rows.at(0).row == check::Row{2.0, 1});
}

}  // namespace paperclip::test
