#include "tests/support/test_store.hpp"

#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

namespace paperclip::storage {

struct Pet {
    std::int64_t id = 0;
    std::string name;
    std::optional<std::string> owner;
    std::int64_t age = 0;
};
BOOST_DESCRIBE_STRUCT(Pet, (), (id, name, owner, age))

namespace {

constexpr SqlFile k_statements[] = {{"pets", R"(
-- name: pet.insert
insert into pet ({Pet.columns}) values ({Pet.values})
-- name: pet.adopt
insert into pet ({Pet.columns but owner age}, owner, age) values ({Pet.values but owner age}, 'us', 1)
returning owner
-- name: pet.by_id
select {Pet} from pet where id = :id
-- name: pet.claim
update pet set owner = :owner where id = :id and owner is null returning {Pet}
-- name: pet.count
select count(*) from pet
-- template: pet.patch
update pet set {set} where id = :id {guard} returning {Pet}
-- part: guard.age
and age < :max_age
-- template: pet.list
select {Pet} from pet where age >= :age {filter} {order} limit :limit
-- part: filter.owners
and owner in (:owners...)
-- part: order.name
order by name
-- part: order.newest
order by id desc
)"},
                                    {}};
constexpr SqlFile k_migrations[] = {
    {"0001_pets",
     "create table pet (id integer primary key, name text not null unique, owner text, "
     "age integer not null) strict;"},
    {}};
constexpr SqlFile k_second[] = {{"0002_bad", "create table extra (id integer) strict; nonsense;"},
                                {}};
constexpr SqlFile k_none[] = {{}};
constexpr SqlFile k_toys[] = {
    {"0002_toys",
     "alter table pet add column weight integer not null default 7;"
     "create table toy (id integer primary key, pet integer not null references pet (id)) strict;"
     "insert into toy (id, pet) select id + 100, id from pet;"},
    {}};
constexpr SqlFile k_toy_statements[] = {{"toys", R"(
-- name: toy.weight
select sum(weight) from pet join toy on toy.pet = pet.id
)"},
                                        {}};

struct Fixture {
    test::TempFolder folder;
    std::unique_ptr<pluginhost::StoragePlugin> plugin = open();
    Catalogue catalogue{"sqlite"};
    std::unique_ptr<Store> store;

    Fixture() {
        catalogue.add_struct<Pet>();
        catalogue.add(SqlModule("pets", k_statements, k_migrations));
        migrate(*plugin, catalogue, {});
        catalogue.publish(*plugin);
        store = std::make_unique<Store>(*plugin, catalogue);
    }
    std::unique_ptr<pluginhost::StoragePlugin> open() const {
        return std::make_unique<pluginhost::StoragePlugin>(test::sqlite_library(),
                                                           test::sqlite_config(folder / "pets.db"));
    }
    void add(const Pet& pet) const {
        Unit unit = store->unit();
        unit.add_row("pet.insert"_sql, pet);
        store->submit(unit);
    }
};

}  // namespace

TEST_CASE("a statement may give some members of a struct itself") {
    const Fixture f;
    std::string owner;
    Unit unit = f.store->unit();
    unit.add_row("pet.adopt"_sql, Pet{1, "Rex", "ann", 3}).each([&](Row row) {
        owner = row[0].as_text();
    });
    f.store->submit(unit);
    CHECK(owner == "us");
    CHECK(f.store->one<Pet>("pet.by_id"_sql, {{"id", 1}})->age == 1);
}

TEST_CASE("rows go in and out as described structs") {
    const Fixture f;
    f.add({1, "Rex", "ann", 3});
    f.add({2, "Tom", std::nullopt, 5});
    const auto tom = f.store->one<Pet>("pet.by_id"_sql, {{"id", 2}});
    REQUIRE(tom);
    CHECK(tom->name == "Tom");
    CHECK_FALSE(tom->owner);
    CHECK_FALSE(f.store->one<Pet>("pet.by_id"_sql, {{"id", 9}}));
    CHECK(f.store->integer("pet.count"_sql, {}) == 2);
    CHECK_THROWS_AS(f.store->integer("pet.by_id"_sql, {}), Error);  // :id is missing
    CHECK_THROWS_AS(f.store->integer("pet.nothing"_sql, {}), Error);
}

TEST_CASE("a guard that fails undoes the whole unit and says what it means") {
    const Fixture f;
    f.add({1, "Rex", "ann", 3});
    Unit unit = f.store->unit();
    unit.add_row("pet.insert"_sql, Pet{2, "Tom", std::nullopt, 1});
    unit.add("pet.claim"_sql, {{"id", 1}, {"owner", "bob"}}).otherwise([] {
        throw Error(ErrorKind::conflict, "Rex is taken");
    });
    CHECK_THROWS_WITH(f.store->submit(unit), "Rex is taken");
    CHECK(f.store->integer("pet.count"_sql, {}) == 1);

    Unit plain = f.store->unit();
    plain.add("pet.claim"_sql, {{"id", 1}, {"owner", "bob"}});
    CHECK_THROWS_AS(f.store->submit(plain), Conflict);

    Unit twice = f.store->unit();
    twice.add_row("pet.insert"_sql, Pet{3, "Rex", std::nullopt, 1}).taken([] {
        throw Error(ErrorKind::conflict, "the name is taken");
    });
    CHECK_THROWS_WITH(f.store->submit(twice), "the name is taken");
}

TEST_CASE("a step hands back what it returned, after success, on the caller's thread") {
    const Fixture f;
    f.add({1, "Rex", std::nullopt, 3});
    Pet claimed;
    std::thread::id thread;
    bool hinted = false;
    Unit unit = f.store->unit();
    unit.add("pet.claim"_sql, {{"id", 1}, {"owner", std::string("bob")}}).each([&](Row row) {
        claimed = row_as<Pet>(row);
        thread = std::this_thread::get_id();
    });
    unit.after([&] { hinted = true; });
    f.store->submit(unit);
    CHECK(claimed.owner == "bob");
    CHECK(thread == std::this_thread::get_id());
    CHECK(hinted);
}

TEST_CASE("a unit with an id is applied once however often it is submitted") {
    const Fixture f;
    for (int i = 0; i < 3; ++i) {
        Unit unit = f.store->unit();
        unit.add_row("pet.insert"_sql, Pet{i + 1, "Pet " + std::to_string(i), std::nullopt, 1});
        unit.set_id("once");
        f.store->submit(unit);
    }
    CHECK(f.store->integer("pet.count"_sql, {}) == 1);
}

TEST_CASE("a patch sets only what it gives, guarded by the parts that are asked for") {
    const Fixture f;
    f.add({1, "Rex", "ann", 3});
    Patch<Pet> patch;
    patch.set(&Pet::name, std::string("Max"));
    Pet changed;
    Unit unit = f.store->unit();
    unit.add_patch("pet.patch"_sql, patch, {"age"}, {{"id", 1}, {"max_age", 4}}).into(changed);
    f.store->submit(unit);
    CHECK(changed.name == "Max");
    CHECK(changed.owner == "ann");
    Unit guarded = f.store->unit();
    guarded.add_patch("pet.patch"_sql, patch, {"age"}, {{"id", 1}, {"max_age", 3}});
    CHECK_THROWS_AS(f.store->submit(guarded), Conflict);
}

TEST_CASE("a list is composed of the parts that are asked for") {
    const Fixture f;
    for (int i = 1; i <= 9; ++i) {
        f.add({i, std::string(1, static_cast<char>('z' - i)), i % 2 ? "ann" : "bob", i});
    }
    const auto statement =
        f.store->compose("pet.list"_sql, {.parts = {"owners", "newest"}, .lists = {{"owners", 2}}});
    const Arg args[] = {{"age", 3}, {"limit", 3}, {"owners_0", "ann"}, {"owners_1", "eve"}};
    const auto pets = f.store->all<Pet>(statement, args);
    REQUIRE(pets.size() == 3);
    CHECK(pets[0].id == 9);
    CHECK(pets[2].id == 5);
    // The same wish is the same statement; others go when there are too many.
    const auto again =
        f.store->compose("pet.list"_sql, {.parts = {"owners", "newest"}, .lists = {{"owners", 2}}});
    CHECK(again == statement);
    for (std::size_t n = 0; n < Catalogue::k_max_composed + 10; ++n) {
        f.store->compose("pet.list"_sql, {.parts = {"owners"}, .lists = {{"owners", n}}});
    }
    CHECK(f.store->all<Pet>(statement, args).size() == 3);  // still held, so still valid
}

TEST_CASE("a failed migration leaves the version before it; a newer schema is refused") {
    Fixture f;
    f.add({1, "Rex", std::nullopt, 1});
    Catalogue newer("sqlite");
    newer.add_struct<Pet>();
    newer.add(SqlModule("pets", k_statements, k_migrations));
    newer.add(SqlModule("more", k_none, k_second));
    int snapshots = 0;
    CHECK_THROWS_AS(migrate(*f.plugin, newer, [&](int from) { snapshots += from; }), StorageError);
    CHECK(snapshots == 1);
    // Nothing of it stayed, and this engine still opens the store.
    CHECK(migrate(*f.plugin, f.catalogue, {}) == 1);
    CHECK(f.store->integer("pet.count"_sql, {}) == 1);

    f.plugin->exec_script("insert into schema_version values (7, 'future')");
    CHECK_THROWS_WITH(migrate(*f.plugin, f.catalogue, {}), Catch::Contains("newer engine"));
}

TEST_CASE("a migration takes the data along, once, and there is no way back") {
    Fixture f;
    for (int i = 1; i <= 3; ++i) f.add({i, "Pet " + std::to_string(i), std::nullopt, 1});
    const auto with_toys = [](const auto& migrations) {
        auto catalogue = std::make_unique<Catalogue>("sqlite");
        catalogue->add_struct<Pet>();
        catalogue->add(SqlModule("pets", k_statements, k_migrations));
        catalogue->add(SqlModule("toys", k_toy_statements, migrations));
        return catalogue;
    };
    // A release that cannot migrate is followed by one that can.
    CHECK_THROWS_AS(migrate(*f.plugin, *with_toys(k_second), {}), StorageError);
    const auto good = with_toys(k_toys);
    std::vector<int> snapshots;
    const auto snapshot = [&](int from) { snapshots.push_back(from); };
    CHECK(migrate(*f.plugin, *good, snapshot) == 1);
    CHECK(migrate(*f.plugin, *good, snapshot) == 2);
    CHECK(snapshots == std::vector<int>{1});
    good->publish(*f.plugin);
    Store migrated(*f.plugin, *good);
    CHECK(migrated.integer("toy.weight"_sql, {}) == 21);
    CHECK(migrated.integer("pet.count"_sql, {}) == 3);
    CHECK_THROWS_WITH(migrate(*f.plugin, f.catalogue, {}), Catch::Contains("newer engine"));
    CHECK(migrated.integer("pet.count"_sql, {}) == 3);
}

TEST_CASE("one engine at a time opens a store") {
    const Fixture f;
    CHECK_THROWS_WITH(f.open(), Catch::Contains("in use by another engine"));
}

TEST_CASE("many threads claim, each thing goes to exactly one") {
    const Fixture f;
    constexpr int k_pets = 50;
    for (int i = 0; i < k_pets; ++i) f.add({i, "Pet " + std::to_string(i), std::nullopt, 1});
    std::atomic<int> won{0};
    std::atomic<int> lost{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 16; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < k_pets; ++i) {
                try {
                    Unit unit = f.store->unit();
                    unit.add("pet.claim"_sql, {{"id", i}, {"owner", std::to_string(t)}});
                    f.store->submit(unit);
                    ++won;
                } catch (const Conflict&) {
                    ++lost;
                }
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(won == k_pets);
    CHECK(lost == 15 * k_pets);
}

}  // namespace paperclip::storage
