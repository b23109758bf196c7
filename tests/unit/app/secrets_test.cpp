#include "engine/base/files.hpp"
#include "tests/support/test_engine.hpp"

#include <cstdlib>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

using Catch::Matchers::Contains;

Id apply(TestEngine& engine, const std::string& slug, const std::string& secrets) {
    const declaration::Files files{
        {"company.yaml", "schema: paperclip.company/v1\nslug: " + slug + "\nname: " + slug + "\n" +
                             secrets + "agents:\n  solo: { adapter: { type: fake } }\n"}};
    return engine.services().declarations.apply(Actor::local_board(), files).company_id;
}

std::string token_of(TestEngine& engine, const Id& company) {
    return engine.services().secrets.resolve(company, R"({"$secret":"TOKEN"})");
}

}  // namespace

TEST_CASE("a company got the secret of the company that declared the same name last") {
    TestEngine engine;
    ::setenv("TOKEN_OF_ACME", "acme's", 1);
    ::setenv("PAPERCLIP_SECRET_TOKEN", "by its name", 1);
    write_file_durably(engine.folder() / "token", "umbrella's\n");
    const Id acme = apply(engine, "acme", "secrets: [{ TOKEN: env:TOKEN_OF_ACME }]\n");
    const std::string file = "file:" + (engine.folder() / "token").string();
    const Id umbrella = apply(engine, "umbrella", "secrets: [{ TOKEN: " + file + " }]\n");
    const Id plain = apply(engine, "plain", "secrets: [TOKEN]\n");
    CHECK(token_of(engine, acme) == "acme's");
    CHECK(token_of(engine, umbrella) == "umbrella's");
    CHECK(token_of(engine, plain) == "by its name");

    const Id none = apply(engine, "none", "");
    const Id undeclared = *Id::parse(engine.new_company());
    CHECK_THROWS_WITH(token_of(engine, none),
                      "secret TOKEN is not declared by the company; add it to secrets: in "
                      "company.yaml");
    CHECK_THROWS_WITH(token_of(engine, undeclared), Contains("is not declared"));
    CHECK(engine.services().secrets.resolve(none, "text") == "text");
}

TEST_CASE("a secret's source that a declaration had no longer was still used") {
    TestEngine engine;
    ::setenv("TOKEN_OF_ACME", "acme's", 1);
    ::setenv("PAPERCLIP_SECRET_TOKEN", "by its name", 1);
    const Id acme = apply(engine, "acme", "secrets: [{ TOKEN: env:TOKEN_OF_ACME }]\n");
    CHECK(token_of(engine, acme) == "acme's");
    apply(engine, "acme", "secrets: [TOKEN]\n");
    CHECK(token_of(engine, acme) == "by its name");
    apply(engine, "acme", "");
    CHECK_THROWS_WITH(token_of(engine, acme), Contains("is not declared"));
}

TEST_CASE("a secret without a value asked for a variable that did not help") {
    TestEngine engine;
    ::unsetenv("TOKEN_X");
    ::unsetenv("PAPERCLIP_SECRET_TOKEN");
    const Id acme = apply(engine, "acme", "secrets: [{ TOKEN: env:TOKEN_X }]\n");
    CHECK_THROWS_WITH(token_of(engine, acme),
                      "secret TOKEN has no value; set TOKEN_X in the engine's environment");
    apply(engine, "acme", "secrets: [TOKEN]\n");
    CHECK_THROWS_WITH(
        token_of(engine, acme),
        "secret TOKEN has no value; set PAPERCLIP_SECRET_TOKEN in the engine's environment");
    apply(engine, "acme", "secrets: [{ TOKEN: file:/nowhere/token }]\n");
    CHECK_THROWS_WITH(token_of(engine, acme), Contains("/nowhere/token"));
}

}  // namespace paperclip::test
