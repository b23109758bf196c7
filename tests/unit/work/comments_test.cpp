#include "tests/support/test_engine.hpp"

#include <catch2/catch.hpp>

namespace paperclip::test {

TEST_CASE("what is told of a comment has no secret, and no part of one") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string issue = engine.new_issue(company);
    engine.services().machine.redactor.add("hunter2-secret");
    const std::string path = "/issues/" + issue + "/comments";
    REQUIRE(engine.post(path, R"({"body":"it is hunter2-secret"})").status == 201);
    // The snippet ends in the middle of the secret.
    const std::string body = std::string(113, 'x') + " hunter2-secret";
    REQUIRE(engine.post(path, R"({"body":")" + body + R"("})").status == 201);
    const std::string told = engine.get("/companies/" + company + "/activity").text;
    CHECK(told.find("it is ***REDACTED***") != std::string::npos);
    CHECK(told.find("hunter") == std::string::npos);
}

}  // namespace paperclip::test
