#include "engine/base/described.hpp"
#include "engine/base/error.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

namespace paperclip {

enum class Mood { calm, default_, very_busy };
BOOST_DESCRIBE_ENUM(Mood, calm, default_, very_busy)

struct PetCore {
    Id id;
    std::string name;
    std::optional<std::string> nick_name;
};
BOOST_DESCRIBE_STRUCT(PetCore, (), (id, name, nick_name))
template <>
struct Rules<PetCore> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"id", {.access = Access::engine}},
        {"name", {.required = true, .min = 1, .max = 5}},
    });
};

struct Toy {
    std::string label;
    int count = 1;
};
BOOST_DESCRIBE_STRUCT(Toy, (), (label, count))

struct Pet : PetCore {
    Mood mood = Mood::calm;
    std::int64_t legs = 4;
    Money price;
    std::optional<Time> born_at;
    std::vector<Toy> toys;
    std::optional<Json> metadata;
    bool tame = true;
};
BOOST_DESCRIBE_STRUCT(Pet, (PetCore), (mood, legs, price, born_at, toys, metadata, tame))
template <>
struct Rules<Pet> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"legs", {.access = Access::on_create, .min = 0, .max = 8}},
        {"price", {.wire = "priceCents"}},
        {"metadata", {.format = "json-object"}},
    });
};

struct Cage {
    Json plan;
    std::optional<Json> note;
};
BOOST_DESCRIBE_STRUCT(Cage, (), (plan, note))
template <>
struct Rules<Cage> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"plan", {.format = "json-object"}},
        {"note", {.format = "json-object"}},
    });
};

namespace {

Patch<Pet> read(std::string_view text, StructType::Purpose purpose = StructType::Purpose::create) {
    const auto value = parse_json(text);
    return read_patch<Pet>(JsonNode(value), purpose);
}

std::string problems_of(std::string_view text,
                        StructType::Purpose purpose = StructType::Purpose::create) {
    try {
        read(text, purpose);
    } catch (const Error& e) {
        CHECK(e.kind() == ErrorKind::invalid);
        return e.details();
    }
    return "none";
}

}  // namespace

TEST_CASE("a described struct is written as JSON with wire names") {
    Pet pet;
    pet.name = "Rex \"the\" \x01";
    pet.mood = Mood::default_;
    pet.price = Money{1'234'567};
    pet.born_at = Time{std::chrono::milliseconds{1'700'000'000'123}};
    pet.toys = {{"ball", 2}};
    pet.metadata = Json{R"({"a":[1]})"};
    CHECK(to_json(pet) ==
          R"({"id":"00000000-0000-0000-0000-000000000000","name":"Rex \"the\" \u0001",)"
          R"("nickName":null,"mood":"default","legs":4,"priceCents":123,)"
          R"("bornAt":"2023-11-14T22:13:20.123Z","toys":[{"label":"ball","count":2}],)"
          R"("metadata":{"a":[1]},"tame":true})");
}

TEST_CASE("a body creates: absent, null and given are told apart") {
    const auto patch = read(R"({"name":"Rex","nickName":null,"legs":3,"priceCents":250,"unknown":1,
                                "id":"11111111-1111-4111-8111-111111111111"})");
    CHECK(patch.has(&Pet::name));
    CHECK(patch.has(&Pet::nick_name));
    CHECK_FALSE(patch.has(&Pet::mood));
    CHECK_FALSE(patch.has(&Pet::id));  // the engine's to set
    CHECK(patch.value.id.is_nil());
    CHECK(patch.value.price == Money::cents(250));

    Pet pet;
    pet.nick_name = "old";
    pet.mood = Mood::very_busy;
    patch.apply_to(pet);
    CHECK(pet.name == "Rex");
    CHECK_FALSE(pet.nick_name);
    CHECK(pet.mood == Mood::very_busy);
}

TEST_CASE("a patch needs nothing and leaves on_create members alone") {
    CHECK(read("{}", StructType::Purpose::patch).present.none());
    CHECK_FALSE(read(R"({"legs":2})", StructType::Purpose::patch).has(&Pet::legs));
}

TEST_CASE("what is wrong with a body is told in the API's form") {
    CHECK(problems_of("{}") ==
          R"([{"expected":"string","code":"invalid_type","path":["name"],)"
          R"("message":"Invalid input: expected string, received undefined"}])");
    CHECK(problems_of(R"({"name":3})") ==
          R"([{"expected":"string","code":"invalid_type","path":["name"],)"
          R"("message":"Invalid input: expected string, received integer"}])");
    CHECK(problems_of(R"({"name":""})") ==
          R"([{"origin":"string","minimum":1,"inclusive":true,"code":"too_small","path":["name"],)"
          R"("message":"Too small: expected string to have >=1 characters"}])");
    CHECK(problems_of(R"({"name":"R","mood":"wild"})")
              .find(R"("values":["calm","default","very_busy"])") != std::string::npos);
    CHECK(problems_of(R"({"name":"R","toys":[{"label":"x"},{"count":"y"}]})")
              .find(R"("path":["toys",1,"count"])") != std::string::npos);
    CHECK(problems_of(R"({"name":"Größer"})").find("too_big") != std::string::npos);
    CHECK(problems_of(R"({"name":"Größe"})") == "none");  // five characters, seven bytes
    CHECK(problems_of(R"({"name":"R","legs":9})").find("too_big") != std::string::npos);
    CHECK(problems_of(R"({"name":"R","legs":1e300})").find("invalid_type") != std::string::npos);
    CHECK(problems_of(R"({"name":"R","metadata":[]})").find("expected object") !=
          std::string::npos);
    CHECK(problems_of("[]").find("expected object, received array") != std::string::npos);
    CHECK(problems_of(R"({"name":"a\u0000b"})").find("NUL") != std::string::npos);
    CHECK(problems_of(R"({"name":"R","bornAt":"2026-02-30T00:00:00Z"})").find("ISO datetime") !=
          std::string::npos);
}

TEST_CASE("null where an object must stand was taken, and failed later as no object") {
    const auto problems_with = [](std::string_view text, Problems::Reading reading) {
        const auto value = parse_json(text);
        Cage cage;
        Problems problems(reading);
        struct_of<Cage>().read(JsonNode(value), &cage, problems);
        return problems.list().size();
    };
    using enum Problems::Reading;
    CHECK(problems_with(R"({"plan":{},"note":null})", lenient) == 0);
    CHECK(problems_with(R"({"plan":null,"note":{}})", lenient) == 1);
    // In a declaration nothing is cleared with null.
    CHECK(problems_with(R"({"plan":{},"note":null})", strict) == 1);
}

TEST_CASE("a row is bound and read back, every type") {
    Pet pet;
    pet.id = *Id::parse("11111111-1111-4111-8111-111111111111");
    pet.name = "Rex";
    pet.price = Money{7};
    pet.born_at = Time{Duration{-1}};
    pet.toys = {{"ball", 2}, {"bone", 0}};
    pet.metadata = Json{R"({"k":null})"};
    pet.mood = Mood::very_busy;

    const auto& type = struct_of<Pet>();
    CHECK(type.columns() ==
          "id, name, nick_name, mood, legs, price, born_at, toys, metadata, tame");
    std::vector<std::string> scratch(type.fields().size());
    std::vector<Value> row;
    for (std::size_t i = 0; i < type.fields().size(); ++i) {
        const Field& field = type.fields()[i];
        row.push_back(field.type->to_column(field.in(static_cast<const void*>(&pet)), scratch[i]));
    }
    Pet read;
    type.from_row(row.data(), row.size(), &read);
    CHECK(to_json(read) == to_json(pet));
    CHECK_THROWS_AS(type.from_row(row.data(), 3, &read), Error);
}

TEST_CASE("the schema names what is required and who may set it") {
    SchemaSet set("#/components/schemas/");
    const auto text = [&](const Schema& schema) {
        std::string out;
        JsonWriter writer(out);
        set.write(writer, schema);
        return out;
    };
    const auto create = text(struct_of<Pet>().body_schema(StructType::Purpose::create, false, set));
    CHECK(create.find(R"("required":["name"])") != std::string::npos);
    CHECK(create.find(R"("name":{"type":"string","minLength":1,"maxLength":5})") !=
          std::string::npos);
    CHECK(create.find(R"("id")") == std::string::npos);
    CHECK(create.find(R"("$ref":"#/components/schemas/Toy")") != std::string::npos);
    CHECK(text(struct_of<Pet>().schema(set)) == R"({"$ref":"#/components/schemas/Pet"})");
    std::string all;
    JsonWriter writer(all);
    set.write_all(writer);
    CHECK(all.find(R"("Toy":{"type":"object")") != std::string::npos);
    CHECK(all.find(R"("nickName":{"type":["string","null"]})") != std::string::npos);
}

TEST_CASE("JSON from outside is bounded and exact") {
    CHECK_THROWS_AS(parse_json(""), Error);
    CHECK_THROWS_AS(parse_json("{} x"), Error);
    CHECK_THROWS_AS(parse_json(std::string(100, '[')), Error);
    CHECK_NOTHROW(parse_json(std::string(60, '[') + std::string(60, ']')));
    CHECK_THROWS_AS(parse_json("\"\xff\""), Error);
}

}  // namespace paperclip
