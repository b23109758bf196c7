#include "tests/support/test_engine.hpp"

#include <catch2/catch.hpp>

namespace paperclip::test {

TEST_CASE("agents are made, changed and listed") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string ada =
        engine.new_agent(company, "Ada Lovelace", R"(,"role":"cto","title":"CTO")");
    const Answer agent = engine.get("/agents/" + ada);
    CHECK(agent.at("urlKey") == "ada-lovelace");
    CHECK(agent.at("status") == "idle");
    CHECK(agent.at("role") == "cto");
    CHECK(engine.get("/agents/ada-lovelace?companyId=" + company).id() == ada);
    CHECK(engine.get("/agents/ada-lovelace").status == 404);
    CHECK(engine.patch("/agents/" + ada, R"({"title":null})").at("title") == "null");
    CHECK(engine.patch("/agents/" + ada, R"({"name":"Countess"})").at("name") == "Countess");
    CHECK(engine.get("/companies/" + company + "/agents").size() == 1);
}

TEST_CASE("an agent is refused for what is wrong with it") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string foreign = engine.new_agent(engine.new_company(), "Foreign");
    const std::string gone = engine.new_agent(company, "Gone");
    REQUIRE(engine.post("/agents/" + gone + "/terminate").status == 200);
    struct Row {
        std::string body;
        int status;
    };
    for (
        const auto& row : std::vector<Row>{
            {"{}", 400},
            {R"({"name":""})", 400},
            {R"({"name":7})", 400},
            {R"({"name":null})", 400},
            {R"({"name":"A","role":"king"})", 400},
            {R"({"name":"A","adapterType":"no_such"})", 422},
            {R"({"name":"A","adapterType":"fake","adapterConfig":{"script":[{"sai":1}]}})", 422},
            {R"({"name":"A","adapterType":"fake","adapterConfig":[]})", 400},
            {R"({"name":"A","adapterType":"fake","reportsTo":")" + foreign + R"("})", 422},
            {R"({"name":"A","adapterType":"fake","reportsTo":")" + gone + R"("})", 422},
            {R"({"name":"A","adapterType":"fake","reportsTo":"boss"})", 400},
            {R"({"name":"A","adapterType":"fake","runtimeConfig":{"heartbeat":{"intervalSec":-1}}})",
             400},
            {"[]", 400},
            {"{", 400},
        }) {
        INFO(row.body);
        CHECK(engine.post("/companies/" + company + "/agents", row.body).status == row.status);
    }
}

TEST_CASE("nobody reports to himself, however far around") {
    TestEngine engine;
    const std::string company = engine.new_company();
    std::vector<std::string> line{engine.new_agent(company, "A0")};
    for (int i = 1; i < 6; ++i) {
        line.push_back(engine.new_agent(company, "A" + std::to_string(i),
                                        R"(,"reportsTo":")" + line.back() + '"'));
    }
    for (const auto& below : line) {
        CHECK(
            engine.patch("/agents/" + line.front(), R"({"reportsTo":")" + below + R"("})").status ==
            422);
    }
    CHECK(engine.patch("/agents/" + line[3], R"({"reportsTo":")" + line[0] + R"("})").status ==
          200);
    const Answer detail = engine.get("/agents/" + line[5]);
    CHECK(detail.body.at("chainOfCommand").as_array().size() == 3);
}

TEST_CASE("two agents of one name can be told apart") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string first = engine.new_agent(company, "Ada");
    const std::string second = engine.new_agent(company, "Ada");
    CHECK(engine.get("/agents/" + first).at("urlKey") !=
          engine.get("/agents/" + second).at("urlKey"));
}

TEST_CASE("who is terminated stays terminated, and its keys are dead") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada");
    const std::string key = engine.new_key(agent);
    REQUIRE(engine.get("/agents/me", key).status == 200);
    REQUIRE(engine.post("/agents/" + agent + "/terminate").status == 200);
    CHECK(engine.get("/agents/me", key).status == 401);
    CHECK(engine.patch("/agents/" + agent, R"({"title":"x"})").status == 409);
    CHECK(engine.post("/agents/" + agent + "/keys").status == 409);
    CHECK(engine.post("/agents/" + agent + "/resume").status >= 400);
}

}  // namespace paperclip::test
