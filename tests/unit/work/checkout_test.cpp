#include "tests/support/test_engine.hpp"

#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

struct Office {
    explicit Office(TestEngine& e) : engine(e), company(e.new_company()) {}

    std::string issue(const std::string& agent = {}, const std::string& more = {}) {
        return engine.new_issue(company,
                                (agent.empty() ? "" : R"(,"assigneeAgentId":")" + agent + '"') +
                                    R"(,"status":"todo")" + more);
    }
    /// An agent whose runs go on until they are stopped, with a run that is live and its key.
    struct Worker {
        std::string id;
        std::string key;
        std::string run;
    };
    Worker worker(const std::string& name) {
        Worker worker;
        worker.id =
            engine.new_agent(company, name, R"(,"adapterConfig":{"script":[{"sleep":3600000}]})");
        worker.key = engine.new_key(worker.id);
        worker.run = engine.post("/agents/" + worker.id + "/wakeup", "{}").id();
        engine.run();
        return worker;
    }
    Answer call(const Worker& worker, http::Method method, const std::string& target,
                const std::string& body = {}) {
        auto request = request_for(method, target, body, worker.key);
        request.headers.emplace_back("X-Paperclip-Run-Id", worker.run);
        return engine.call(std::move(request));
    }
    Answer check_out(const std::string& issue, const Worker& worker,
                     const std::string& agent = {}) {
        return call(worker, http::Method::post, "/issues/" + issue + "/checkout",
                    R"({"agentId":")" + (agent.empty() ? worker.id : agent) +
                        R"(","expectedStatuses":["todo","backlog","blocked"]})");
    }

    TestEngine& engine;
    std::string company;
};

}  // namespace

TEST_CASE("of many agents that want an issue exactly one gets it") {
    TestEngine engine;
    engine.start();
    Office office(engine);
    constexpr int k_callers = 50;
    std::vector<Office::Worker> workers;
    for (int i = 0; i < k_callers; ++i) workers.push_back(office.worker("W" + std::to_string(i)));
    const std::string issue = office.issue();
    std::atomic<int> taken{0};
    std::atomic<int> refused{0};
    std::atomic<int> other{0};
    std::vector<std::thread> callers;
    for (const auto& worker : workers) {
        callers.emplace_back([&] {
            try {
                const int status = office.check_out(issue, worker).status;
                ++(status == 200 ? taken : status == 409 ? refused : other);
            } catch (const std::exception&) {
                ++other;
            }
        });
    }
    for (auto& caller : callers) caller.join();
    CHECK(taken == 1);
    CHECK(refused == k_callers - 1);
    CHECK(other == 0);
    const Answer now = engine.get("/issues/" + issue);
    CHECK(now.at("status") == "in_progress");
    const auto holder = std::find_if(workers.begin(), workers.end(), [&](const auto& worker) {
        return worker.id == now.at("assigneeAgentId");
    });
    REQUIRE(holder != workers.end());
    CHECK(now.at("checkoutRunId") == holder->run);
    CHECK(now.at("executionRunId") == holder->run);
    CHECK(office.check_out(issue, *holder).status == 200);  // its own again
}

TEST_CASE("a checkout is refused by what stands in its way") {
    TestEngine engine;
    engine.start();
    Office office(engine);
    const auto ada = office.worker("Ada");
    const auto bo = office.worker("Bo");

    SECTION("another one's issue") {
        const std::string issue = office.issue(bo.id);
        CHECK(office.check_out(issue, ada).status == 409);
        CHECK(engine.get("/issues/" + issue).at("assigneeAgentId") == bo.id);
    }
    SECTION("a status that was not expected") {
        const Answer answer =
            office.call(ada, http::Method::post, "/issues/" + office.issue(ada.id) + "/checkout",
                        R"({"agentId":")" + ada.id + R"(","expectedStatuses":["blocked"]})");
        CHECK(answer.status == 409);
    }
    SECTION("a blocker that is not done") {
        const std::string blocker = office.issue();
        const std::string issue =
            office.issue(ada.id, R"(,"blockedByIssueIds":[")" + blocker + R"("])");
        CHECK(office.check_out(issue, ada).status == 422);
        const Answer done = engine.patch("/issues/" + blocker, R"({"status":"done"})");
        INFO(done.text);
        CHECK(done.status == 200);
        CHECK(office.check_out(issue, ada).status == 200);
    }
    SECTION("for somebody else") {
        CHECK(office.check_out(office.issue(), ada, bo.id).status == 403);
    }
    SECTION("of nothing") {
        CHECK(office.check_out("11111111-1111-4111-8111-111111111111", ada).status == 404);
    }
    SECTION("with another agent's run") {
        auto thief = ada;
        thief.run = bo.run;
        CHECK(office.check_out(office.issue(), thief).status == 409);
    }
    SECTION("without a run") {
        const std::string issue = office.issue();
        CHECK(engine
                  .post("/issues/" + issue + "/checkout",
                        R"({"agentId":")" + ada.id + R"(","expectedStatuses":["todo"]})", ada.key)
                  .status == 401);
    }
}

TEST_CASE("a lease ends with its run, and the next run takes it over") {
    TestEngine engine;
    engine.start();
    Office office(engine);
    const auto ada = office.worker("Ada");
    const std::string issue = office.issue();
    REQUIRE(office.check_out(issue, ada).status == 200);
    CHECK(office.call(ada, http::Method::patch, "/issues/" + issue, R"({"title":"Mine"})").status ==
          200);
    auto later = ada;
    later.run = "11111111-1111-4111-8111-111111111111";
    CHECK(office.call(later, http::Method::patch, "/issues/" + issue, R"({"title":"Not yet"})")
              .status == 409);
    CHECK(office.call(ada, http::Method::post, "/issues/" + issue + "/release").status == 200);
    const Answer now = engine.get("/issues/" + issue);
    CHECK(now.at("status") == "todo");
    CHECK(now.at("executionRunId") == "null");
    CHECK(now.at("assigneeAgentId") == "null");
}

TEST_CASE("blockers may not wait for each other") {
    TestEngine engine;
    Office office(engine);
    const std::string first = office.issue();
    const std::string second = office.issue({}, R"(,"blockedByIssueIds":[")" + first + R"("])");
    const std::string third = office.issue({}, R"(,"blockedByIssueIds":[")" + second + R"("])");
    const auto blocked_by = [&](const std::string& issue, const std::string& by) {
        return engine.patch("/issues/" + issue, R"({"blockedByIssueIds":[")" + by + R"("]})")
            .status;
    };
    CHECK(blocked_by(first, third) == 422);
    CHECK(blocked_by(first, first) == 422);
    CHECK(blocked_by(third, first) == 200);
    const std::string other = engine.new_company();
    CHECK(blocked_by(first, engine.new_issue(other)) >= 400);
    CHECK(engine.get("/issues/" + first).body.at("blocks").as_array().size() == 2);
}

TEST_CASE("an issue is not its own ancestor") {
    TestEngine engine;
    Office office(engine);
    const std::string parent = office.issue();
    const Answer child = engine.post("/issues/" + parent + "/children", R"({"title":"Part"})");
    REQUIRE(child.status == 201);
    CHECK(child.at("parentId") == parent);
    const auto under = [&](const std::string& issue, const std::string& above) {
        return engine.patch("/issues/" + issue, R"({"parentId":")" + above + R"("})").status;
    };
    CHECK(under(parent, child.id()) == 422);
    CHECK(under(parent, parent) == 422);
}

TEST_CASE("an issue that was asked for twice under one key is made once") {
    TestEngine engine;
    Office office(engine);
    const std::string body = R"({"title":"Once","idempotencyKey":"k-1"})";
    const Answer first = engine.post("/companies/" + office.company + "/issues", body);
    const Answer again = engine.post("/companies/" + office.company + "/issues", body);
    CHECK(first.status == 201);
    CHECK(again.status == 200);
    CHECK(again.id() == first.id());
}

TEST_CASE("issues are listed by what the query says") {
    TestEngine engine;
    Office office(engine);
    const std::string ada = engine.new_agent(office.company, "Ada");
    office.issue(ada, R"(,"priority":"high")");
    office.issue();
    engine.new_issue(office.company, R"(,"status":"backlog")");
    const std::string list = "/companies/" + office.company + "/issues";
    CHECK(engine.get(list).size() == 3);
    CHECK(engine.get(list + "?status=todo").size() == 2);
    CHECK(engine.get(list + "?status=todo,backlog").size() == 3);
    CHECK(engine.get(list + "?assigneeAgentId=" + ada).size() == 1);
    CHECK(engine.get(list + "?assigneeAgentId=nobody").status == 422);
    CHECK(engine.get(list + "?limit=1").size() == 1);
}

}  // namespace paperclip::test
