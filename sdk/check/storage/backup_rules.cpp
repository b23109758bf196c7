#include "rules.hpp"

#include <fstream>
#include <random>

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::check {
namespace {

namespace fs = std::filesystem;

/// A path in the kit's folder, free now and when the rule ends.
class BackupFile {
 public:
    BackupFile(const Context& context, const char* name)
        : context_(context), path_(context.options.folder / name) {
        remove();
    }
    ~BackupFile() { remove(); }
    BackupFile(const BackupFile&) = delete;
    BackupFile& operator=(const BackupFile&) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }
    void remove() const {
        std::error_code ignored;
        fs::remove(path_, ignored);
    }
    [[nodiscard]] QueryResult make(const Session& session) const {
        return call([&](pc_error* error) {
            return context_.storage.backup(session.store(), text(), error);
        });
    }
    [[nodiscard]] QueryResult verify() const {
        return call([&](pc_error* error) { return context_.storage.verify(text(), error); });
    }
    [[nodiscard]] QueryResult restore(const std::string& config) const {
        return call([&](pc_error* error) {
            return context_.storage.restore(sdk::str(config), text(), error);
        });
    }
    /// A file that is no good backup: not PC_OK, and not blamed on the caller or the device.
    void expect_damaged(const std::string& what) const {
        const auto result = verify();
        expect(result.status == PC_CORRUPT || result.status == PC_ERROR,
               what + ": expected PC_CORRUPT or PC_ERROR, found " + status_name(result.status) +
                   " (" + result.message + ")");
    }

 private:
    template <class Call>
    static QueryResult call(const Call& call) {
        pc_error error{};
        error.struct_size = sizeof error;
        const pc_status status = call(&error);
        return {status, error.message, {}};
    }
    [[nodiscard]] pc_str text() const { return sdk::str(path_.native()); }

    const Context& context_;
    const fs::path path_;
};

void need_backups(const Context& context) {
    if ((context.storage.limits.flags & PC_STORAGE_BACKUP) == 0) {
        throw Skipped("this storage offers no backups");
    }
}

/// Rows that every unit changes all at once, and one row for each unit.
struct Load {
    Session session;
    std::uint32_t bump, log, equal, logged;

    Load(const Context& context, const std::string& config) : session(context, config) {
        session.script(
            "create table if not exists kit_equal (id {int} primary key, n {int} not null, pad "
            "text not null){strict};"
            "create table if not exists kit_log (n {int} primary key){strict}");
        bump = session.write("update kit_equal set n = n + 1");
        log = session.write("insert into kit_log (n) values (?1)");
        equal = session.read("select distinct n from kit_equal");
        logged = session.read("select count(*) from kit_log");
    }
    void fill() {
        const auto insert = session.write("insert into kit_equal (id, n, pad) values (?1, 0, ?2)");
        Unit unit;
        for (int i = 0; i < 1'000; ++i) unit.steps.push_back({insert, {i, std::string(300, 'p')}});
        session.apply(unit);
    }
    void checkpoint() {
        pc_error error{};
        error.struct_size = sizeof error;
        expect_status("checkpoint", PC_OK,
                      session.context().storage.checkpoint(session.store(), &error), error.message);
    }
};

void online(const Context& context) {
    need_backups(context);
    Load load(context, context.options.fresh());
    load.fill();
    const BackupFile backup(context, "kit-online.backup");
    const int backups = context.scaled(10, 2);
    const int most = context.scaled(1'000, 100);  // units of each kind and thread
    std::atomic<int> logged{0};
    std::atomic<bool> stop{false};
    const auto take_one = [&] {
        backup.remove();
        const int before = logged;
        expect_status("backup while units go on", PC_OK, backup.make(load.session));
        expect_status("verify of it", PC_OK, backup.verify());
        const int after = logged + 3;  // each writer may have one on its way
        const std::string config = context.options.fresh();
        expect_status("restore of it", PC_OK, backup.restore(config));
        Load copy(context, config);
        expect_equal("different states in one backup", 1,
                     static_cast<std::int64_t>(copy.session.rows(copy.equal).size()));
        const auto found = copy.session.integer(copy.logged);
        expect(found >= before && found <= after,
               "units in the backup: expected " + std::to_string(before) + " to " +
                   std::to_string(after) + ", found " + std::to_string(found));
    };
    in_parallel(4, [&](int thread) {
        try {
            for (int i = 0; thread > 0 && i < most && !stop; ++i) {
                load.session.apply(load.log, {i * 4 + thread}, 1);
                ++logged;
                load.session.apply(load.bump, {}, 1'000);
            }
            for (int i = 0; thread == 0 && i < backups; ++i) take_one();
        } catch (...) {
            stop = true;
            throw;
        }
        stop = true;
    });
    expect_status("a backup where a file is already", PC_INVALID, backup.make(load.session));
}

void flip(const fs::path& path, std::uint64_t position) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(position));
    const auto byte = static_cast<char>(file.get() ^ 0x20);
    file.seekp(static_cast<std::streamoff>(position));
    file.put(byte);
    expect(file.good(), "cannot change " + path.string());
}

void verify(const Context& context) {
    need_backups(context);
    const BackupFile backup(context, "kit-verify.backup");
    {
        Load load(context, context.options.fresh());
        load.fill();
        load.checkpoint();
        expect_status("backup", PC_OK, backup.make(load.session));
    }
    expect_status("verify", PC_OK, backup.verify());
    const std::uint64_t size = fs::file_size(backup.path());
    std::minstd_rand random(static_cast<std::uint32_t>(context.options.seed));
    std::vector<std::uint64_t> places{0, 1, 17, 27, 99, size / 2, size - 2, size - 1};
    const int more = context.scaled(200, 10);
    for (int i = 0; i < more; ++i) places.push_back(random() % size);
    for (const auto place : places) {
        flip(backup.path(), place);
        backup.expect_damaged("a byte changed at " + std::to_string(place) + " of " +
                              std::to_string(size));
        flip(backup.path(), place);
    }
    expect_status("verify once all is put right", PC_OK, backup.verify());
    for (const auto length : {size - 1, size - 4'096, size / 2, size / 3, std::uint64_t{100},
                              std::uint64_t{1}, std::uint64_t{0}}) {
        fs::resize_file(backup.path(), length);
        backup.expect_damaged("a backup cut to " + std::to_string(length) + " of " +
                              std::to_string(size) + " bytes");
    }
    backup.remove();
    expect(backup.verify().status != PC_OK,
           "a backup that is not there: expected a failure, found PC_OK");
}

void restore(const Context& context) {
    need_backups(context);
    const std::string config = context.options.fresh();
    const BackupFile backup(context, "kit-restore.backup");
    const auto expect_logged = [&](const char* what, const std::string& where, int units) {
        Load load(context, where);
        expect_equal(what, units, load.session.integer(load.logged));
    };
    {
        Load load(context, config);
        load.fill();
        for (int i = 0; i < 10; ++i) load.session.apply(load.log, {i}, 1);
        load.checkpoint();
        expect_status("backup", PC_OK, backup.make(load.session));
        for (int i = 10; i < 15; ++i) load.session.apply(load.log, {i}, 1);
        if ((context.storage.limits.flags & PC_STORAGE_MULTI_WRITER) == 0) {
            expect_status("restore of a store that is open", PC_BUSY, backup.restore(config));
        }
        load.session.apply(load.log, {15}, 1);
    }
    expect_logged("units after the backup was refused", config, 16);
    expect_status("restore", PC_OK, backup.restore(config));
    expect_logged("units after restore", config, 10);
    const std::string other = context.options.fresh();
    expect_status("restore to where nothing was", PC_OK, backup.restore(other));
    expect_logged("units after restore to where nothing was", other, 10);
    {
        Load load(context, config);
        load.session.apply(load.log, {100}, 1);
    }
    fs::resize_file(backup.path(), fs::file_size(backup.path()) / 2);
    expect(backup.restore(config).status != PC_OK,
           "restore of half a backup: expected a failure, found PC_OK");
    expect_logged("units after half a backup was refused", config, 11);
    backup.remove();
    expect(backup.restore(config).status != PC_OK,
           "restore of no backup: expected a failure, found PC_OK");
    expect_logged("units after no backup was refused", config, 11);
}

}  // namespace

std::vector<Rule> backup_rules() {
    return {
        {"backup.online", "a backup while units go on is one state and verifies", online},
        {"backup.verify", "any damage to a backup is found", verify},
        {"backup.restore", "restore brings back the backup, or leaves the store alone", restore},
    };
}

}  // namespace paperclip::check
