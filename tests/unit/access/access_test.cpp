#include "tests/support/test_engine.hpp"

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

using http::Method;

/// Two companies; an agent of the first calls.
struct Scene {
    TestEngine engine;
    std::string company = engine.new_company();
    std::string agent = engine.new_agent(company, "Ada");
    std::string colleague = engine.new_agent(company, "Bo");
    std::string key = engine.new_key(agent);
    std::string other = engine.new_company(R"({"name":"Umbrella"})");
    std::string other_agent = engine.new_agent(other, "Eve");
    std::string other_issue = engine.new_issue(other);
    std::string other_goal = engine.post("/companies/" + other + "/goals", R"({"title":"G"})").id();
    std::string other_project =
        engine.post("/companies/" + other + "/projects", R"({"name":"P"})").id();
    std::string other_run = engine.post("/agents/" + other_agent + "/wakeup").id();
};

}  // namespace

// Every route that is about something, so that a new one is not forgotten.
TEST_CASE("an agent reaches nothing of another company") {
    Scene scene;
    for (const auto& route : scene.engine.router().routes()) {
        if (route->spec.subject == http::Subject::none) continue;
        std::string path(route->spec.path);
        const auto from = path.find('{');
        const std::map<http::Subject, std::string> subjects{
            {http::Subject::company, scene.other},
            {http::Subject::agent, scene.other_agent},
            {http::Subject::issue, scene.other_issue},
            {http::Subject::goal, scene.other_goal},
            {http::Subject::project, scene.other_project},
            {http::Subject::run, scene.other_run}};
        const auto subject = subjects.find(route->spec.subject);
        if (subject == subjects.end()) continue;
        path.replace(from, path.find('}') - from + 1, subject->second);
        for (auto at = path.find('{'); at != std::string::npos; at = path.find('{')) {
            path.replace(at, path.find('}') - at + 1, scene.other_issue);
        }
        INFO(http::method_name(route->spec.method) << " " << path);
        const bool body = route->body != nullptr;
        const Answer answer =
            scene.engine.call(route->spec.method, path, body ? "{}" : "", scene.key);
        CHECK((answer.status == 403 || answer.status == 404));
        CHECK(answer.text.find("Umbrella") == std::string::npos);
        CHECK(answer.text.find("Eve") == std::string::npos);
    }
}

TEST_CASE("a restricted key was made, and opened everything") {
    Scene scene;
    const std::string keys = "/agents/" + scene.agent + "/keys";
    for (const char* scope : {R"({"kind":"task_bridge","projectId":"p"})",
                              R"({"kind":"skill_test","issueId":"i"})", R"({"kind":1})", "{}"}) {
        INFO(scope);
        const Answer answer = scene.engine.post(keys, std::string(R"({"scope":)") + scope + '}');
        CHECK(answer.status == 422);
        CHECK(answer.at("error").find("does not enforce restricted keys") != std::string::npos);
    }
    CHECK(scene.engine.post(keys, R"({"scope":{"kind":"standard"}})").status == 201);
    CHECK(scene.engine.get(keys).size() == 2);
}

TEST_CASE("who may hire does not say what runs on this machine") {
    Scene scene;
    auto& engine = scene.engine;
    const std::string key =
        engine.new_key(engine.new_agent(scene.company, "Chief", R"(,"role":"ceo")"));
    const std::string agents = "/companies/" + scene.company + "/agents";
    for (const char* more :
         {R"("adapterType":"fake","adapterConfig":{"command":"sh"})",
          R"("adapterType":"fake","adapterConfig":{"env":{"X":{"$secret":"TOK"}}})",
          R"("adapterType":"fake","runtimeConfig":{"heartbeat":{"check":["sh","-c","id"]}})"}) {
        INFO(more);
        const Answer answer =
            engine.post(agents, std::string(R"({"name":"Clone",)") + more + '}', key);
        CHECK(answer.status == 403);
        CHECK(answer.at("code") == "host_command_forbidden");
    }
    CHECK(engine.post(agents, R"({"name":"Clone","adapterType":"fake"})", key).status == 201);
}

TEST_CASE("an agent does not raise its own power") {
    Scene scene;
    auto& engine = scene.engine;
    struct Row {
        Method method;
        std::string path;
        std::string body;
    };
    const std::string me = "/agents/" + scene.agent;
    for (
        const auto& row : std::vector<Row>{
            {Method::patch, me, R"({"budgetMonthlyCents":100000})"},
            {Method::patch, me, R"({"adapterType":"process","adapterConfig":{"command":"sh"}})"},
            {Method::patch, me, R"({"reportsTo":null})"},
            {Method::patch, me, R"({"runtimeConfig":{}})"},
            {Method::patch, me, "{}"},
            {Method::patch, me + "/permissions", R"({"canCreateAgents":true})"},
            {Method::post, me + "/keys", "{}"},
            {Method::get, me + "/keys", ""},
            {Method::post, me + "/resume", ""},
            {Method::post, me + "/clear-error", ""},
            {Method::post, "/agents/" + scene.colleague + "/pause", ""},
            {Method::post, "/agents/" + scene.colleague + "/wakeup", "{}"},
            {Method::patch, "/agents/" + scene.colleague, R"({"title":"x"})"},
            {Method::patch, "/companies/" + scene.company, R"({"budgetMonthlyCents":0})"},
            {Method::post, "/companies/" + scene.company + "/agents",
             R"({"name":"Clone","adapterType":"fake"})"},
            {Method::post, "/companies", R"({"name":"Mine"})"},
            {Method::get, "/companies", ""},
            {Method::post, "/companies/" + scene.company + "/activity",
             R"({"actorId":"x","action":"x.y","entityType":"x","entityId":"y"})"},
            {Method::post, "/companies/" + scene.company + "/cost-events",
             R"({"agentId":")" + scene.colleague +
                 R"(","provider":"p","model":"m","costCents":1,"occurredAt":"2026-03-02T09:00:00Z"})"},
        }) {
        INFO(http::method_name(row.method) << " " << row.path << " " << row.body);
        CHECK(engine.call(row.method, row.path, row.body, scene.key).status == 403);
    }
    CHECK(engine.get("/agents/" + scene.agent).at("budgetMonthlyCents") == "0");
    const Answer colleague = engine.get("/agents/" + scene.colleague, scene.key);
    CHECK(colleague.status == 200);
    CHECK(colleague.at("adapterConfig") == "{}");
}

TEST_CASE("credentials") {
    Scene scene;
    auto& engine = scene.engine;
    SECTION("a key is the agent's until it is revoked") {
        CHECK(engine.get("/agents/me", scene.key).id() == scene.agent);
        const Answer keys = engine.get("/agents/" + scene.agent + "/keys");
        REQUIRE(keys.size() == 1);
        CHECK(keys.text.find(scene.key) == std::string::npos);
        const std::string id(keys.body.at(0).at("id").as_string());
        CHECK(engine.remove("/agents/" + scene.colleague + "/keys/" + id).status == 404);
        CHECK(engine.remove("/agents/" + scene.agent + "/keys/" + id).status == 200);
        CHECK(engine.get("/agents/me", scene.key).status == 401);
    }
    SECTION("a token that was altered") {
        for (std::string token : {scene.key + "0", scene.key.substr(0, 20), std::string("pcp_"),
                                  std::string("a.b.c"), std::string("..")}) {
            INFO(token);
            CHECK(engine.get("/companies", token).status == 401);
        }
    }
    SECTION("the board needs none on this machine, and is nobody from elsewhere") {
        CHECK(engine.get("/companies").status == 200);
        auto request = request_for(Method::get, "/companies");
        request.peer.address = "192.0.2.7";
        CHECK(engine.call(request).status == 401);
    }
    SECTION("a run header must be an id") {
        auto request = request_for(Method::get, "/agents/me", {}, scene.key);
        request.headers.emplace_back("X-Paperclip-Run-Id", "run-7");
        CHECK(engine.call(request).status == 400);
    }
}

TEST_CASE("a run's token lives as long as its run") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent =
        engine.new_agent(company, "Ada", R"(,"adapterConfig":{"script":[{"sleep":3600000}]})");
    const auto run = *Id::parse(engine.post("/agents/" + agent + "/wakeup").id());
    const std::string token = engine.services().tokens.issue(
        {.agent_id = *Id::parse(agent), .company_id = *Id::parse(company), .run_id = run});
    CHECK(engine.get("/agents/me", token).status == 401);  // the run has not begun
    engine.run();
    CHECK(engine.get("/agents/me", token).id() == agent);
    auto request = request_for(Method::get, "/agents/me", {}, token);
    request.headers.emplace_back("X-Paperclip-Run-Id", agent);
    CHECK(engine.call(request).status == 422);
    for (std::size_t i = 0; i < token.size(); i += 7) {
        std::string altered = token;
        altered[i] = altered[i] == 'A' ? 'B' : 'A';
        CHECK(engine.get("/agents/me", altered).status == 401);
    }
    REQUIRE(engine.post("/agents/" + agent + "/terminate").status == 200);
    CHECK(engine.get("/agents/me", token).status == 401);
}

TEST_CASE("who calls from a run's process tree is that run's agent, whatever it sends") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const char* hang = R"(,"adapterConfig":{"script":[{"sleep":3600000}]})";
    const std::string agent = engine.new_agent(company, "Ada", hang);
    const std::string other = engine.new_agent(company, "Bo", hang);
    const std::string run = engine.post("/agents/" + agent + "/wakeup").id();
    engine.run();
    const std::string key = engine.new_key(agent);
    const std::string foreign_key = engine.new_key(other);
    engine.peers().answer = {access::Peers::Kind::run, *Id::parse(run)};
    CHECK(engine.get("/agents/me").id() == agent);
    CHECK(engine.get("/companies").status == 403);
    CHECK(engine.get("/agents/me", key).id() == agent);
    CHECK(engine.get("/agents/me", foreign_key).status == 403);
    CHECK(engine.patch("/agents/" + agent, R"({"budgetMonthlyCents":1})").status == 403);
    engine.peers().answer = {access::Peers::Kind::run, *Id::parse(agent)};  // a run that is over
    CHECK(engine.get("/companies").status == 401);
    engine.peers().answer = {access::Peers::Kind::unknown, {}};
    CHECK(engine.get("/companies").status == 401);
    CHECK(engine.get("/agents/me", key).id() == agent);
}

}  // namespace paperclip::test
