#include "engine/base/time.hpp"
#include "tests/support/test_engine.hpp"

#include <thread>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

using Room = governance::Budgets::Room;

Answer spend(TestEngine& engine, const std::string& company, const std::string& agent,
             const std::string& cents) {
    return engine.post(
        "/companies/" + company + "/cost-events",
        R"({"agentId":")" + agent +
            R"(","provider":"anthropic","model":"m","occurredAt":"2026-03-02T09:00:00Z","costCents":)" +
            cents + '}');
}

std::string spent(TestEngine& engine, const std::string& company) {
    return engine.get("/companies/" + company + "/costs/summary").at("spendCents");
}

}  // namespace

TEST_CASE("money adds up exactly") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada");
    for (int i = 0; i < 10; ++i) CHECK(spend(engine, company, agent, "1").status == 201);
    CHECK(spent(engine, company) == "10");
    CHECK(engine.get("/agents/" + agent).at("spentMonthlyCents") == spent(engine, company));
    auto& services = engine.services();
    CHECK(services.budgets.spent_this_month(*Id::parse(company), {}).micros == 100'000);
}

TEST_CASE("a cost that cannot be meant is refused") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada");
    for (const char* cents : {"-1", "0.1", "1e300", "\"1\"", "null", "9223372036854775807", "[]"}) {
        INFO(cents);
        CHECK(spend(engine, company, agent, cents).status == 400);
    }
    CHECK(spent(engine, company) == "0");
}

TEST_CASE("a cost was put down to what another company has, or nobody") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada");
    const std::string other = engine.new_company(R"({"name":"Umbrella"})");
    const std::string foreign_run =
        engine.post("/agents/" + engine.new_agent(other, "Eve") + "/wakeup").id();
    const auto report = [&](const std::string& member, const std::string& id,
                            const std::string& token = {}) {
        return engine.post(
            "/companies/" + company + "/cost-events",
            R"({"provider":"p","model":"m","occurredAt":"2026-03-02T09:00:00Z","costCents":1,"agentId":")" +
                agent + R"(",")" + member + R"(":")" + id + R"("})",
            token);
    };
    const auto new_of = [&](const std::string& of, const char* list, const char* body) {
        return engine.post("/companies/" + of + list, body).id();
    };
    struct Row {
        const char* member;
        const char* name;
        std::string foreign, own;
    };
    const std::string own_run = engine.post("/agents/" + agent + "/wakeup").id();
    for (const Row& row :
         std::vector<Row>{{"issueId", "Issue", engine.new_issue(other), engine.new_issue(company)},
                          {"projectId", "Project", new_of(other, "/projects", R"({"name":"P"})"),
                           new_of(company, "/projects", R"({"name":"P"})")},
                          {"goalId", "Goal", new_of(other, "/goals", R"({"title":"G"})"),
                           new_of(company, "/goals", R"({"title":"G"})")},
                          {"heartbeatRunId", "Heartbeat run", foreign_run, own_run}}) {
        INFO(row.member);
        for (const std::string& id : {row.foreign, agent}) {
            const Answer answer = report(row.member, id);
            CHECK(answer.status == 404);
            CHECK(answer.at("error") == std::string(row.name) + " not found");
        }
        CHECK(report(row.member, row.own).status == 201);
    }
    CHECK(spent(engine, company) == "4");
}

TEST_CASE("an agent put its costs down to another run than its own") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada");
    const std::string own = engine.post("/agents/" + agent + "/wakeup").id();
    const std::string others =
        engine.post("/agents/" + engine.new_agent(company, "Bo") + "/wakeup").id();
    http::Request request = request_for(
        http::Method::post, "/companies/" + company + "/cost-events",
        R"({"provider":"p","model":"m","occurredAt":"2026-03-02T09:00:00Z","costCents":1,"agentId":")" +
            agent + R"(","heartbeatRunId":")" + others + R"("})",
        engine.new_key(agent));
    request.headers.emplace_back("X-Paperclip-Run-Id", own);
    const Answer answer = engine.call(request);
    CHECK(answer.status == 201);
    CHECK(answer.at("heartbeatRunId") == own);
}

TEST_CASE("a budget that is used up stops the agent, and more budget lets it go on") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada", R"(,"budgetMonthlyCents":100)");
    spend(engine, company, agent, "99");
    CHECK(engine.get("/agents/" + agent).at("status") == "idle");
    spend(engine, company, agent, "5");
    Answer now = engine.get("/agents/" + agent);
    CHECK(now.at("status") == "paused");
    CHECK(now.at("pauseReason") == "budget");
    CHECK(now.at("spentMonthlyCents") == "104");  // never clamped
    CHECK(engine.post("/agents/" + agent + "/wakeup").status == 409);
    CHECK(engine.patch("/agents/" + agent, R"({"budgetMonthlyCents":104})").at("status") ==
          "paused");
    CHECK(engine.patch("/agents/" + agent, R"({"budgetMonthlyCents":105})").status == 200);
    CHECK(engine.get("/agents/" + agent).at("status") == "idle");
}

TEST_CASE("what a person paused is not resumed by a budget") {
    TestEngine engine;
    const std::string company = engine.new_company();
    const std::string agent = engine.new_agent(company, "Ada", R"(,"budgetMonthlyCents":100)");
    REQUIRE(engine.post("/agents/" + agent + "/pause").status == 200);
    engine.patch("/agents/" + agent, R"({"budgetMonthlyCents":1000})");
    CHECK(engine.get("/agents/" + agent).at("status") == "paused");
}

TEST_CASE("what is reserved by those that race never passes the limit") {
    TestEngine engine;
    const std::string company = engine.new_company(R"({"name":"Acme","budgetMonthlyCents":200})");
    const auto company_id = *Id::parse(company);
    const auto agent = *Id::parse(engine.new_agent(company, "Ada"));
    auto& services = engine.services();
    std::atomic<int> granted{0};
    std::vector<std::thread> racers;
    for (int i = 0; i < 20; ++i) {
        racers.emplace_back([&] {
            for (;;) {
                storage::Unit unit = services.store.unit();
                governance::Reservation reservation;
                if (services.budgets.add_reserve(unit, {company_id, agent}, reservation) !=
                    Room::yes) {
                    return;
                }
                try {
                    services.store.submit(unit);
                    ++granted;
                    return;
                } catch (const storage::Conflict&) {
                }
            }
        });
    }
    for (auto& racer : racers) racer.join();
    CHECK(granted == 8);  // of 25 cents each
}

TEST_CASE("what was reserved and not spent is there again") {
    TestEngine engine;
    const auto company =
        *Id::parse(engine.new_company(R"({"name":"Acme","budgetMonthlyCents":30})"));
    const auto agent = *Id::parse(engine.new_agent(company.str(), "Ada"));
    auto& budgets = engine.services().budgets;
    auto& store = engine.services().store;
    const auto reserve = [&](governance::Reservation& reservation) {
        storage::Unit unit = store.unit();
        const Room room = budgets.add_reserve(unit, {company, agent}, reservation);
        if (room == Room::yes) store.submit(unit);
        return room;
    };
    governance::Reservation first;
    governance::Reservation second;
    governance::Reservation third;
    REQUIRE(reserve(first) == Room::yes);
    CHECK(first.amount.micros == 250'000);
    REQUIRE(reserve(second) == Room::yes);
    CHECK(second.amount.micros == 50'000);
    CHECK(reserve(third) == Room::later);
    storage::Unit unit = store.unit();
    budgets.add_release(unit, {company, agent}, first);
    store.submit(unit);
    CHECK(reserve(third) == Room::yes);
}

TEST_CASE("a run without a history reserves as much as it may cost") {
    TestEngine engine;
    const auto company =
        *Id::parse(engine.new_company(R"({"name":"Acme","budgetMonthlyCents":100})"));
    const auto agent = *Id::parse(engine.new_agent(company.str(), "Ada"));
    auto& budgets = engine.services().budgets;
    auto& store = engine.services().store;
    storage::Unit limit = store.unit();
    budgets.add_policy(limit, Actor::local_board(), company, governance::BudgetScope::agent, agent,
                       governance::BudgetWindow::run, Money{600'000});
    store.submit(limit);
    storage::Unit unit = store.unit();
    governance::Reservation reservation;
    REQUIRE(budgets.add_reserve(unit, {company, agent}, reservation) == Room::yes);
    CHECK(reservation.amount.micros == 600'000);
    store.submit(unit);
    storage::Unit next = store.unit();
    REQUIRE(budgets.add_reserve(next, {company, agent}, reservation) == Room::yes);
    CHECK(reservation.amount.micros == 400'000);
    CHECK(reservation.cap == Money{400'000});
}

// The budget of a run used to have no room as soon as another limit was set while it ran.
TEST_CASE("a limit that is set while a run goes on does not starve it") {
    TestEngine engine;
    const auto company =
        *Id::parse(engine.new_company(R"({"name":"Acme","budgetMonthlyCents":1000})"));
    const auto agent = *Id::parse(engine.new_agent(company.str(), "Ada"));
    auto& budgets = engine.services().budgets;
    auto& store = engine.services().store;
    storage::Unit unit = store.unit();
    governance::Reservation reservation;
    REQUIRE(budgets.add_reserve(unit, {company, agent}, reservation) == Room::yes);
    store.submit(unit);
    REQUIRE(engine.patch("/agents/" + agent.str(), R"({"budgetMonthlyCents":500})").status == 200);
    CHECK(budgets.extend({company, agent}, reservation, Money{10'000}, [](storage::Unit&) {}));
}

TEST_CASE("the month turns where the company is") {
    struct Row {
        const char* zone;
        const char* before;
        const char* after;
    };
    for (const auto& row :
         std::vector<Row>{{"UTC", "2026-03-31T23:59:59Z", "2026-04-01T00:00:00Z"},
                          {"Europe/Berlin", "2026-03-31T21:59:59Z", "2026-03-31T22:00:00Z"},
                          {"America/Los_Angeles", "2026-04-01T06:59:59Z", "2026-04-01T07:00:00Z"},
                          {"Pacific/Kiritimati", "2026-03-31T09:59:59Z", "2026-03-31T10:00:00Z"}}) {
        INFO(row.zone);
        TestEngine engine;
        engine.clock().set(*parse_iso8601(row.before));
        const std::string company =
            engine.new_company(std::string(R"({"name":"Acme","timezone":")") + row.zone + R"("})");
        const std::string agent = engine.new_agent(company, "Ada");
        spend(engine, company, agent, "7");
        CHECK(spent(engine, company) == "7");
        engine.clock().set(*parse_iso8601(row.after));
        CHECK(spent(engine, company) == "0");
    }
}

TEST_CASE("companies are refused for what is wrong with them") {
    TestEngine engine;
    for (const char* body :
         {"{}", R"({"name":""})", R"({"name":"A","brandColor":"red"})",
          R"({"name":"A","attachmentMaxBytes":0})", R"({"name":"A","budgetMonthlyCents":-1})"}) {
        INFO(body);
        CHECK(engine.post("/companies", body).status == 400);
    }
    CHECK(engine.post("/companies", R"({"name":"A","timezone":"Mars/Base"})").status == 422);
    const std::string company = engine.new_company(R"({"name":"Überraschung 3"})");
    const Answer made = engine.get("/companies/" + company);
    CHECK(made.at("issuePrefix") == "BER");
    CHECK(engine.get("/companies").size() == 1);
    CHECK(engine.get("/companies/" + company + "/activity").size() >= 1);
}

}  // namespace paperclip::test
