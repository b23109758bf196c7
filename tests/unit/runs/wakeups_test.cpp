#include "tests/support/test_engine.hpp"

#include <algorithm>
#include <thread>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

constexpr const char* k_hang = R"(,"adapterConfig":{"script":[{"sleep":3600000}]})";

std::string wake(TestEngine& engine, const std::string& agent, const std::string& more = {}) {
    const Answer answer =
        engine.post("/agents/" + agent + "/wakeup", R"({"reason":"look")" + more + '}');
    REQUIRE(answer.status == 202);
    return answer.body.as_object().contains("reason") && answer.at("status") == "skipped"
               ? "skipped:" + answer.at("reason")
               : answer.id();
}

std::string status_of(TestEngine& engine, const std::string& run) {
    return engine.get("/heartbeat-runs/" + run).at("status");
}

std::size_t runs_of(TestEngine& engine, const std::string& company, const std::string& agent) {
    return engine.get("/companies/" + company + "/heartbeat-runs?agentId=" + agent).size();
}

}  // namespace

TEST_CASE("a wake becomes a run that ends") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(
        company, "Ada",
        R"(,"adapterConfig":{"script":[{"say":"hi"},{"usage":{"inputTokens":7,"costUsd":0.02}}]})");
    const std::string run = wake(engine, agent);
    CHECK(status_of(engine, run) == "queued");
    engine.run();
    CHECK(status_of(engine, run) == "succeeded");
    CHECK(engine.get("/agents/" + agent).at("status") == "idle");
    CHECK(engine.get("/companies/" + company).at("spentMonthlyCents") == "2");
    CHECK(engine.get("/agents/" + agent + "/runtime-state").at("totalInputTokens") == "7");
}

TEST_CASE("wakes that find a run waiting become one with it") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada", k_hang);
    const std::string first = wake(engine, agent);
    CHECK(wake(engine, agent) == first);
    CHECK(wake(engine, agent) == first);
    CHECK(runs_of(engine, company, agent) == 1);
}

// Each started a run at once, and a chain of retries of its own.
TEST_CASE("a wake during a back-off joins the run that waits") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(
        company, "Ada",
        R"(,"adapterConfig":{"script":[{"fail":{"class":"rate_limit","message":"busy"}}]})");
    const std::string issue =
        engine.new_issue(company, R"(,"assigneeAgentId":")" + agent + R"(","status":"todo")");
    engine.run();
    REQUIRE(runs_of(engine, company, agent) == 2);
    const std::string for_issue = R"(,"payload":{"issueId":")" + issue + R"("})";
    const std::string waiting = wake(engine, agent, for_issue);
    CHECK(status_of(engine, waiting) == "scheduled_retry");
    CHECK(wake(engine, agent, for_issue) == waiting);
    engine.run();
    CHECK(runs_of(engine, company, agent) == 2);
}

TEST_CASE("wakes at the same moment all reach the run that they become") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada", k_hang);
    const std::string run = wake(engine, agent);
    constexpr int k_callers = 8;
    constexpr int k_each = 5;
    std::vector<std::thread> callers;
    for (int i = 0; i < k_callers; ++i) {
        callers.emplace_back([&, i] {
            for (int k = 0; k < k_each; ++k) {
                const std::string comment =
                    "00000000-0000-4000-8000-0000000000" + std::to_string(10 + i * k_each + k);
                engine.post("/agents/" + agent + "/wakeup",
                            R"({"payload":{"commentId":")" + comment + R"("}})");
            }
        });
    }
    for (auto& caller : callers) caller.join();
    const auto answer = engine.get("/heartbeat-runs/" + run);
    const auto& context = answer.body.as_object().at("contextSnapshot").as_object();
    CHECK(context.at("wakeCommentIds").as_array().size() == k_callers * k_each);
}

TEST_CASE("a wish of one idempotency key is granted once") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada");
    const std::string key = R"(,"idempotencyKey":"deploy-7")";
    const std::string first = wake(engine, agent, key);
    engine.run();
    REQUIRE(status_of(engine, first) == "succeeded");
    CHECK(wake(engine, agent, key) == first);
    CHECK(wake(engine, agent) != first);
}

TEST_CASE("a comment on an issue at work has its turn when the run ends") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada", k_hang);
    const std::string issue =
        engine.new_issue(company, R"(,"status":"todo","assigneeAgentId":")" + agent + '"');
    engine.run();
    REQUIRE(runs_of(engine, company, agent) == 1);
    const std::string run = engine.get("/issues/" + issue).at("executionRunId");
    REQUIRE(status_of(engine, run) == "running");
    REQUIRE(engine.post("/issues/" + issue + "/comments", R"({"body":"Also this"})").status == 201);
    engine.run();
    CHECK(runs_of(engine, company, agent) == 1);
    const std::string payload = R"(,"payload":{"issueId":")" + issue + R"("})";
    CHECK(wake(engine, agent, payload) == "skipped:deferred_issue_execution");
}

TEST_CASE("who waits behind a paused agent has its turn") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string first = engine.new_agent(company, "Ada", k_hang);
    const std::string busy = engine.new_agent(
        company, "Bob",
        std::string(k_hang) + R"(,"runtimeConfig":{"heartbeat":{"maxConcurrentRuns":1}})");
    const std::string last = engine.new_agent(company, "Cleo", k_hang);
    wake(engine, busy);
    const std::string issue =
        engine.new_issue(company, R"(,"status":"todo","assigneeAgentId":")" + first + '"');
    engine.run();
    for (const char* body : {R"({"body":"@bob look"})", R"({"body":"@cleo look"})"}) {
        engine.clock().advance(std::chrono::seconds(1));
        REQUIRE(engine.post("/issues/" + issue + "/comments", body).status == 201);
        engine.run();
    }
    REQUIRE(engine.post("/agents/" + first + "/pause").status == 200);
    engine.run();
    REQUIRE(runs_of(engine, company, busy) == 2);  // of which one waits for the other to end
    REQUIRE(runs_of(engine, company, last) == 0);
    REQUIRE(engine.post("/agents/" + busy + "/pause").status == 200);
    engine.run();
    CHECK(runs_of(engine, company, last) == 1);
}

TEST_CASE("a resumed agent has what the pause cut off, and what came meanwhile") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada", k_hang);
    const std::string mine = R"(,"status":"todo","assigneeAgentId":")" + agent + '"';
    const std::string at_work = engine.new_issue(company, mine);
    engine.run();
    const std::string cut_off = engine.get("/issues/" + at_work).at("executionRunId");
    REQUIRE(engine.post("/agents/" + agent + "/pause").status == 200);
    engine.run();
    REQUIRE(status_of(engine, cut_off) == "cancelled");
    const std::string later = engine.new_issue(company, mine);
    engine.run();
    REQUIRE(runs_of(engine, company, agent) == 1);

    REQUIRE(engine.post("/agents/" + agent + "/resume").status == 200);
    engine.run();
    CHECK(runs_of(engine, company, agent) == 3);
    for (const std::string& issue : {at_work, later}) {
        const std::string run = engine.get("/issues/" + issue).at("executionRunId");
        CHECK(status_of(engine, run) == "running");
    }
    // Once: another look finds nothing left.
    REQUIRE(engine.patch("/agents/" + agent, R"({"title":"Engineer"})").status == 200);
    engine.run();
    CHECK(runs_of(engine, company, agent) == 3);
}

TEST_CASE("an agent that is resumed while its run is being stopped goes on with it") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada", k_hang);
    engine.new_issue(company, R"(,"status":"todo","assigneeAgentId":")" + agent + '"');
    engine.run();
    REQUIRE(engine.post("/agents/" + agent + "/pause").status == 200);
    REQUIRE(engine.post("/agents/" + agent + "/resume").status == 200);
    engine.run();
    CHECK(runs_of(engine, company, agent) == 2);
}

TEST_CASE("what a person cancelled is not repeated when the agent is resumed") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada", k_hang);
    const std::string run = wake(engine, agent);
    REQUIRE(engine.post("/heartbeat-runs/" + run + "/cancel").status == 200);
    REQUIRE(engine.post("/agents/" + agent + "/pause").status == 200);
    engine.run();
    REQUIRE(engine.post("/agents/" + agent + "/resume").status == 200);
    engine.run();
    CHECK(runs_of(engine, company, agent) == 1);
}

TEST_CASE("what a used-up budget turned away has its turn when the budget is raised") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company(R"({"name":"Acme","budgetMonthlyCents":30})");
    const std::string agent = engine.new_agent(
        company, "Ada", R"(,"adapterConfig":{"script":[{"usage":{"costUsd":0.3}}]})");
    const std::string mine = R"(,"status":"todo","assigneeAgentId":")" + agent + '"';
    engine.new_issue(company, mine);
    engine.run();
    REQUIRE(runs_of(engine, company, agent) == 1);
    REQUIRE(engine.get("/companies/" + company).at("status") == "paused");
    engine.new_issue(company, mine);
    engine.run();
    REQUIRE(runs_of(engine, company, agent) == 1);
    REQUIRE(engine.patch("/companies/" + company, R"({"budgetMonthlyCents":500})").status == 200);
    engine.run();
    CHECK(runs_of(engine, company, agent) == 2);
}

TEST_CASE("who finds all money reserved has its turn when a run ends") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company(R"({"name":"Acme","budgetMonthlyCents":25})");
    const std::string first = engine.new_agent(company, "Ada", k_hang);
    const std::string second = engine.new_agent(company, "Bob", k_hang);
    const std::string holder = wake(engine, first);
    engine.run();
    const std::string waiter = wake(engine, second);
    engine.run();
    REQUIRE(status_of(engine, holder) == "running");
    REQUIRE(status_of(engine, waiter) == "queued");
    engine.post("/agents/" + first + "/pause");
    engine.run();
    CHECK(status_of(engine, waiter) == "running");
}

TEST_CASE("what an agent does itself does not wake it") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada");
    const std::string key = engine.new_key(agent);
    const Answer issue = engine.post(
        "/companies/" + company + "/issues",
        R"({"title":"Mine","status":"todo","assigneeAgentId":")" + agent + R"("})", key);
    REQUIRE(issue.status == 201);
    engine.post("/issues/" + issue.id() + "/comments", R"({"body":"@ada note"})", key);
    engine.run();
    CHECK(runs_of(engine, company, agent) == 0);
}

TEST_CASE("the assignment of an issue wakes its agent once, also when the journal is read again") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada");
    engine.new_issue(company, R"(,"status":"todo","assigneeAgentId":")" + agent + '"');
    engine.run();
    REQUIRE(runs_of(engine, company, agent) == 1);
    auto records = journal::records_after(engine.services().store, *Id::parse(company), 0, 1000);
    engine.services().planner.consume(records);
    engine.run();
    CHECK(runs_of(engine, company, agent) == 1);
}

TEST_CASE("an issue that is given with a comment wakes its agent once, for both") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada", k_hang);
    const std::string issue = engine.new_issue(company, R"(,"status":"todo")");
    REQUIRE(engine
                .patch("/issues/" + issue,
                       R"({"comment":"Please","assigneeAgentId":")" + agent + R"("})")
                .status == 200);
    engine.run();
    CHECK(runs_of(engine, company, agent) == 1);
    const auto run =
        engine.get("/heartbeat-runs/" + engine.get("/issues/" + issue).at("executionRunId"));
    const auto& context = run.body.as_object().at("contextSnapshot").as_object();
    CHECK(context.at("wakeReason") == "issue_assigned");
    CHECK(context.at("wakeCommentIds").as_array().size() == 1);
    // The records one by one, as when the run begins in between.
    const auto feed = journal::records_after(engine.services().store, *Id::parse(company), 0, 1000);
    const auto at = [&](std::string_view action) {
        return std::find_if(feed.begin(), feed.end(),
                            [&](const auto& record) { return record.action == action; });
    };
    CHECK(at("issue.comment_added") < at("issue.updated"));
}

TEST_CASE("nobody wakes who is paused, terminated or of a broken line") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string boss = engine.new_agent(company, "Boss");
    const std::string agent = engine.new_agent(company, "Ada", R"(,"reportsTo":")" + boss + '"');
    const std::string wakeup = "/agents/" + agent + "/wakeup";
    SECTION("paused") {
        REQUIRE(engine.post("/agents/" + agent + "/pause").status == 200);
        CHECK(engine.post(wakeup).status == 409);
        REQUIRE(engine.post("/agents/" + agent + "/resume").status == 200);
        CHECK(engine.post(wakeup).status == 202);
    }
    SECTION("terminated") {
        REQUIRE(engine.post("/agents/" + agent + "/terminate").status == 200);
        CHECK(engine.post(wakeup).status == 409);
    }
    SECTION("a manager is gone") {
        REQUIRE(engine.post("/agents/" + boss + "/terminate").status == 200);
        CHECK(engine.post(wakeup).status == 409);
    }
    SECTION("not on demand") {
        REQUIRE(engine
                    .patch("/agents/" + agent,
                           R"({"runtimeConfig":{"heartbeat":{"wakeOnDemand":false}}})")
                    .status == 200);
        CHECK(wake(engine, agent) == "skipped:heartbeat.wakeOnDemand.disabled");
    }
}

TEST_CASE("a rate limit is tried again later and later, and then no more") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(
        company, "Ada",
        R"(,"adapterConfig":{"script":[{"fail":{"class":"rate_limit","message":"busy"}}]})");
    wake(engine, agent);
    engine.run();
    const std::vector<std::chrono::minutes> delays{std::chrono::minutes(2),
                                                   std::chrono::minutes(10),
                                                   std::chrono::minutes(30), std::chrono::hours(2)};
    std::size_t runs = 1;
    for (const auto delay : delays) {
        CHECK(runs_of(engine, company, agent) == runs + 1);
        engine.advance(delay - std::chrono::seconds(1));
        CHECK(runs_of(engine, company, agent) == runs + 1);
        engine.advance(std::chrono::seconds(2));
        ++runs;
    }
    engine.advance(std::chrono::hours(48));
    CHECK(runs_of(engine, company, agent) == 5);
}

TEST_CASE("too many failures in a row pause the agent") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(
        company, "Ada",
        R"(,"adapterConfig":{"script":[{"fail":{"class":"config","message":"no"}}]})");
    for (int i = 0; i < 6; ++i) {
        CHECK(engine.get("/agents/" + agent).at("status") != "paused");
        wake(engine, agent);
        engine.run();
    }
    CHECK(engine.get("/agents/" + agent).at("status") == "paused");
}

TEST_CASE("what waits of an agent that paused itself is cancelled") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(
        company, "Ada",
        R"(,"adapterConfig":{"script":[{"fail":{"class":"auth","message":"no key"}}]})"
        R"(,"runtimeConfig":{"heartbeat":{"maxConcurrentRuns":1}})");
    const std::string first = wake(engine, agent, R"(,"payload":{"taskKey":"a"})");
    engine.clock().advance(std::chrono::seconds(1));
    const std::string second = wake(engine, agent, R"(,"payload":{"taskKey":"b"})");
    engine.run();
    CHECK(status_of(engine, first) == "failed");
    CHECK(status_of(engine, second) == "cancelled");
    CHECK(engine.get("/agents/" + agent).at("status") == "paused");
}

TEST_CASE("heartbeats come by the clock, and those with nothing to do start nothing") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(
        company, "Ada", R"(,"runtimeConfig":{"heartbeat":{"enabled":true,"intervalSec":600}})");
    engine.run();
    for (int i = 0; i < 6; ++i) engine.advance(std::chrono::minutes(10));
    CHECK(runs_of(engine, company, agent) == 0);
    REQUIRE(
        engine
            .patch(
                "/agents/" + agent,
                R"({"runtimeConfig":{"heartbeat":{"enabled":true,"intervalSec":600,"runWhenIdle":true}}})")
            .status == 200);
    engine.run();
    for (int i = 0; i < 6; ++i) engine.advance(std::chrono::minutes(10));
    CHECK(runs_of(engine, company, agent) == 6);
}

TEST_CASE("one run at a time when the agent says so") {
    TestEngine engine;
    engine.start();
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(
        company, "Ada",
        std::string(k_hang) + R"(,"runtimeConfig":{"heartbeat":{"maxConcurrentRuns":1}})");
    const std::string first = wake(engine, agent, R"(,"payload":{"taskKey":"a"})");
    engine.run();
    const std::string second = wake(engine, agent, R"(,"payload":{"taskKey":"b"})");
    engine.run();
    CHECK(status_of(engine, first) == "running");
    CHECK(status_of(engine, second) == "queued");
}

}  // namespace paperclip::test
