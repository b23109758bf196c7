#include "tests/support/test_engine.hpp"

#include <functional>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

constexpr int k_rounds = 12;

/// Two requests at the same time, each of which is fine alone.
std::pair<int, int> race(const std::function<int()>& one, const std::function<int()>& other) {
    int first = 0;
    int second = 0;
    std::thread rival([&] { second = other(); });
    first = one();
    rival.join();
    return {first, second};
}

/// Sets `member` of one object to the other and back, by two callers at once: one of them is
/// refused, or both came one after the other with `undo` between.
void expect_no_ring(TestEngine& engine, const std::string& path, const std::string& first,
                    const std::string& second, const std::string& member, bool list) {
    const auto set = [&](const std::string& id, const std::string& value) {
        return engine.patch(path + id, "{\"" + member + "\":" + value + "}").status;
    };
    const auto quoted = [&](const std::string& id) {
        return list ? "[\"" + id + "\"]" : "\"" + id + "\"";
    };
    for (int round = 0; round < k_rounds; ++round) {
        const auto [one, other] = race([&] { return set(first, quoted(second)); },
                                       [&] { return set(second, quoted(first)); });
        INFO("round " << round << ": " << one << " and " << other);
        CHECK(std::min(one, other) == 200);
        CHECK(std::max(one, other) == 422);
        set(first, list ? "[]" : "null");
        set(second, list ? "[]" : "null");
    }
}

}  // namespace

TEST_CASE("however two changes race, nobody comes to be above, below or behind themselves") {
    TestEngine engine(TestEngine::Work::threads);
    engine.start();
    const std::string company = engine.new_company();
    SECTION("agents") {
        expect_no_ring(engine, "/agents/", engine.new_agent(company, "Ada"),
                       engine.new_agent(company, "Ben"), "reportsTo", false);
    }
    SECTION("goals") {
        const auto goal = [&] {
            return engine.post("/companies/" + company + "/goals", R"({"title":"Goal"})").id();
        };
        expect_no_ring(engine, "/goals/", goal(), goal(), "parentId", false);
    }
    SECTION("issues below each other") {
        expect_no_ring(engine, "/issues/", engine.new_issue(company), engine.new_issue(company),
                       "parentId", false);
    }
    SECTION("issues that wait for each other") {
        expect_no_ring(engine, "/issues/", engine.new_issue(company), engine.new_issue(company),
                       "blockedByIssueIds", true);
    }
}

TEST_CASE("two who change a part of an agent's configuration at once both get their way") {
    TestEngine engine(TestEngine::Work::threads);
    engine.start();
    const std::string agent = engine.new_agent(engine.new_company(), "Ada");
    for (int round = 0; round < k_rounds; ++round) {
        const std::string number = std::to_string(round + 1);
        const auto set = [&](const std::string& member) {
            return engine
                .patch("/agents/" + agent,
                       R"({"adapterConfig":{")" + member + "\":" + number + "}}")
                .status;
        };
        CHECK(race([&] { return set("timeoutSec"); }, [&] { return set("graceSec"); }) ==
              std::pair(200, 200));
        const auto config = engine.get("/agents/" + agent).body.at("adapterConfig");
        CHECK(config.at("timeoutSec") == round + 1);
        CHECK(config.at("graceSec") == round + 1);
    }
}

TEST_CASE("a heartbeat that no clock can follow is refused") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada");
    for (const char* heartbeat :
         {R"({"cron":"61 * * * *"})", R"({"cron":"x"})", R"({"timezone":"Mars/Base"})",
          R"({"quietHours":"22-7"})", R"({"catchUpPolicy":"twice"})",
          R"({"cron":"0 9 * * *","intervalSec":60})"}) {
        INFO(heartbeat);
        const std::string config =
            R"("runtimeConfig":{"heartbeat":)" + std::string(heartbeat) + "}}";
        CHECK(engine.patch("/agents/" + agent, "{" + config).status / 100 == 4);
        CHECK(engine.post("/companies/" + company + "/agents",
                          R"({"name":"Ben","adapterType":"fake",)" + config)
                      .status /
                  100 ==
              4);
    }
    CHECK(engine.get("/companies/" + company + "/agents").size() == 1);
}

}  // namespace paperclip::test
