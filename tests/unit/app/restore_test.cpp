#include "engine/app/opened_store.hpp"
#include "engine/app/services.hpp"
#include "engine/base/time.hpp"
#include "tests/support/test_store.hpp"

#include <catch2/catch.hpp>

namespace paperclip::app {
namespace {

namespace fs = std::filesystem;

/// A backup of an instance with this schema, after `script`.
fs::path backup_of(const fs::path& folder, const std::string& script) {
    pluginhost::StoragePlugin store(test::sqlite_library(),
                                    test::sqlite_config(folder / "made.db"));
    storage::Catalogue catalogue(store.dialect());
    Services::add_sql(catalogue);
    storage::migrate(store, catalogue, {});
    REQUIRE(store.exec_script(script).outcome == storage::Outcome::ok);
    back_up(store, test::sqlite_library(), folder / "backup.db");
    return folder / "backup.db";
}

Places instance_with(const fs::path& root, const std::string& script) {
    const Places places{root};
    make_private_folder(root);
    pluginhost::StoragePlugin store(test::sqlite_library(), storage_config(places));
    storage::Catalogue catalogue(store.dialect());
    Services::add_sql(catalogue);
    storage::migrate(store, catalogue, {});
    REQUIRE(store.exec_script(script).outcome == storage::Outcome::ok);
    return places;
}

/// The text of the table `note` in a store.
std::string note_in(const fs::path& database) {
    pluginhost::StoragePlugin store(test::sqlite_library(), test::sqlite_config(database));
    const storage::StatementText text{1, "note", "select text from note", 0, true};
    REQUIRE(store.catalogue({&text, 1}).outcome == storage::Outcome::ok);
    std::string note;
    store.query({1, {}, 0, [&](storage::Row row) {
                     note = std::string(row[0].as_text());
                     return true;
                 }});
    return note;
}

std::string note(const char* text) {
    return std::string("create table note (text text); insert into note values ('") + text + "')";
}

constexpr Time k_now{std::chrono::seconds(1'772'442'000)};

}  // namespace

TEST_CASE("the backup of a newer engine destroyed the store that it could not replace") {
    const test::TempFolder folder;
    const Places places = instance_with(folder / "data", note("mine"));
    const fs::path file =
        backup_of(folder.path(), "insert into schema_version (version, name) values (9999, 'x')");
    CHECK_THROWS_WITH(
        restore(places, test::sqlite_library(), file, k_now),
        Catch::Contains("backup.db cannot be restored, the instance is as it was: ") &&
            Catch::Contains("newer engine (schema 9999, this engine knows "));
    CHECK(note_in(places.database()) == "mine");
    for (const auto& entry : fs::directory_iterator(places.root)) {
        INFO(entry.path());
        CHECK(entry.path().string().find("restore") == std::string::npos);
        CHECK(entry.path().string().find("replaced") == std::string::npos);
    }
}

TEST_CASE("a restore threw the replaced store away") {
    const test::TempFolder folder;
    const Places places = instance_with(folder / "data", note("mine"));
    const fs::path file = backup_of(folder.path(), note("theirs"));
    const fs::path replaced = restore(places, test::sqlite_library(), file, k_now);
    CHECK(replaced.filename() == "paperclip.db.replaced-2026-03-02T09-00-00.000Z");
    CHECK(note_in(places.database()) == "theirs");
    CHECK(note_in(replaced) == "mine");
    CHECK(restore({folder / "new"}, test::sqlite_library(), file, k_now).empty());
    CHECK(note_in(folder / "new/paperclip.db") == "theirs");
}

}  // namespace paperclip::app
