#include "engine/base/error.hpp"
#include "engine/storage/sql_text.hpp"

#include <catch2/catch.hpp>

namespace paperclip::storage {

TEST_CASE("named parameters get positions; strings, comments and casts are left alone") {
    const auto sqlite = to_positional(
        "select ':no', \":no\", a::text /* :no */ from t where x = :x and y = :y_1 or z = :x -- "
        ":no",
        "sqlite");
    CHECK(
        sqlite.text ==
        "select ':no', \":no\", a::text /* :no */ from t where x = ?1 and y = ?2 or z = ?1 -- :no");
    CHECK(sqlite.parameters == std::vector<std::string>{"x", "y_1"});
    CHECK(to_positional("'it''s :a' = :a", "postgresql").text == "'it''s :a' = $1");
    CHECK(to_positional("'open :a", "sqlite").parameters.empty());
}

TEST_CASE("a .sql file is named statements and templates with parts") {
    const auto blocks = parse_sql_file("pets", R"(-- about pets
-- name: pet.by_id
select {Pet} from pet where id = :id;

-- template: pet.list
select {Pet} from pet {join} where owner = :owner {filter}
-- part: filter.kind
and kind = :kind
-- part: join.toy
join toy on toy.pet = pet.id

-- about what follows
-- name: pet.count
select count(*) from pet
)");
    REQUIRE(blocks.size() == 3);
    CHECK(blocks[0].name == "pet.by_id");
    CHECK(blocks[0].text == "select {Pet} from pet where id = :id");
    CHECK(blocks[1].is_template);
    REQUIRE(blocks[1].parts.size() == 2);
    CHECK(blocks[1].parts[0].slot == "filter");
    CHECK(blocks[1].parts[0].name == "kind");
    CHECK(blocks[1].parts[1].text == "join toy on toy.pet = pet.id");
    CHECK_THROWS_AS(parse_sql_file("x", "select 1"), Error);
    CHECK_THROWS_AS(parse_sql_file("x", "-- name: a\n-- name: b\nselect 1"), Error);
    CHECK_THROWS_AS(parse_sql_file("x", "-- part: a.b\nselect 1"), Error);
}

TEST_CASE("braces are expanded outside of strings, comments go") {
    const auto text = expand_braces("a {B} '{C}' -- {D}\n{ E }", "x", [](std::string_view name) {
        return "<" + std::string(name) + ">";
    });
    CHECK(text == "a <B> '{C}' \n<E>");
    CHECK_THROWS_AS(expand_braces("{a", "x", [](auto) { return std::string(); }), Error);
}

}  // namespace paperclip::storage
