#include "engine/base/files.hpp"
#include "tests/unit/declaration/world.hpp"

#include <catch2/catch.hpp>

using namespace paperclip;
using Catch::Matchers::Contains;
using declaration::Act;
using declaration::Files;

namespace {

std::string field_of(const declaration::Plan& plan, const std::string& slug,
                     const std::string& field) {
    for (const auto& change : plan.changes) {
        if (change.slug != slug) continue;
        for (const auto& entry : change.fields) {
            if (entry.field == field) return entry.from.text + " -> " + entry.to.text;
        }
    }
    return "";
}

Files edited(const Files& files, const std::string& from, const std::string& to) {
    Files after = files;
    after["company.yaml"] = test::replaced(files.at("company.yaml"), from, to);
    return after;
}

}  // namespace

TEST_CASE("the company of the design is applied, and a second apply is empty") {
    test::World world;
    const auto first = world.apply(test::acme());
    CHECK(first.changed);
    CHECK(first.revision == 1);

    const auto ceo = world.agent("ceo");
    const auto engineer = world.agent("senior-python-eng-3");
    CHECK(ceo.title == "Chief Executive Officer");
    CHECK(ceo.budget_monthly == Money{80'000'000});
    CHECK(ceo.permissions.can_create_agents);
    CHECK(world.agent("cto").reports_to == ceo.id);
    CHECK(
        engineer.adapter_config.text ==
        R"({"env":{"GITHUB_TOKEN":{"$secret":"GITHUB_TOKEN"},"LEVEL":{"type":"plain","value":"3"}}})");
    CHECK(engineer.permissions.can_assign_tasks == false);
    const auto policy = agents::parse_runtime_config(engineer.runtime_config);
    CHECK(policy.heartbeat.enabled);
    CHECK(policy.heartbeat.interval_sec == 1800);
    CHECK(policy.heartbeat.max_concurrent_runs == 1);
    CHECK(policy.limits.timeout_sec == 2700);
    CHECK(read_file(world.instructions() / ceo.id.str() / "AGENTS.md") == "You are the ceo.\n");
    const auto issues = world.services().issues.list(first.company_id, {});
    REQUIRE(issues.size() == 2);
    CHECK(issues[0].goal_id.has_value());

    const auto second = world.declarations().plan(test::acme());
    CHECK(to_text(second).find("No changes.") != std::string::npos);
    CHECK(second.empty());
    CHECK_FALSE(world.apply(test::acme()).changed);
}

TEST_CASE("a plan says what changes and what it can come to") {
    test::World world;
    world.apply(test::acme());
    const auto plan = world.declarations().plan(
        edited(edited(test::acme(), "[$80/month, $4/run]", "[$90/month, $4/run]"), "every: 4h",
               "every: 2h"));
    CHECK(field_of(plan, "ceo", "budget.month") == R"("$80/month" -> "$90/month")");
    CHECK(field_of(plan, "cto", "heartbeat.every") == R"("4h" -> "2h")");
    const std::string text = to_text(plan);
    CHECK(text.find("(+$10/month)") != std::string::npos);
    CHECK(text.find("routines: is kept, and not yet in force") != std::string::npos);
}

TEST_CASE("what people change live is drift where it is declared, and theirs where it is not") {
    test::World world;
    world.apply(test::acme());
    Patch<agents::Agent> patch;
    patch.set(&agents::Agent::title, "Boss");
    patch.set(&agents::Agent::icon, "crown");
    world.services().agents.patch(Actor::local_board(), world.agent("ceo").id, patch, false);

    const auto plan = world.declarations().plan(test::acme());
    REQUIRE(plan.changes.size() == 1);
    REQUIRE(plan.changes[0].fields.size() == 1);
    CHECK(plan.changes[0].fields[0].drift);
    world.apply(test::acme());
    CHECK(world.agent("ceo").title == "Chief Executive Officer");
    CHECK(world.agent("ceo").icon == "crown");
}

TEST_CASE("apply resumes nobody whom a person or a budget paused") {
    test::World world;
    world.apply(test::acme());
    auto services = world.services();
    for (const char* reason : {"manual", "budget"}) {
        storage::Unit unit = services.core.store.unit();
        services.agents.add_pause(unit, Actor::local_board(),
                                  world.agent(reason == std::string("manual") ? "ceo" : "cto"),
                                  reason);
        services.core.store.submit(unit);
    }
    world.apply(edited(edited(test::acme(), "$80/month", "$95/month"), "$50/month", "$60/month"));
    CHECK(world.agent("ceo").status == agents::AgentStatus::paused);
    CHECK(world.agent("ceo").budget_monthly == Money{95'000'000});
    CHECK(world.agent("cto").status == agents::AgentStatus::paused);
    CHECK(world.agent("cto").budget_monthly == Money{60'000'000});
}

TEST_CASE("what the file no longer has leaves work, and keeps its history when renamed") {
    test::World world;
    const auto applied = world.apply(test::acme());
    const Id cto = world.agent("cto").id;
    Files files = edited(test::acme(), "count: 3", "count: 2");
    auto& text = files["company.yaml"];
    for (auto at = text.find("cto"); at != std::string::npos; at = text.find("cto", at + 3)) {
        text.replace(at, 3, "cxo");
    }
    text = test::replaced(text, "role: cxo\n", "role: cto\n    renamedFrom: cto\n");
    text = test::replaced(text, "  cxo: { permissions", "  cto: { permissions");
    text = test::replaced(text, "prompts/cxo.md", "prompts/cto.md");
    const auto plan = world.declarations().plan(files);
    INFO(to_text(plan));
    world.apply(files);
    CHECK(world.agent("cto").id == cto);
    CHECK(world.agent("senior-python-eng-3").status == agents::AgentStatus::terminated);
    CHECK(world.stopped() == std::vector<std::string>{"senior-python-eng-3"});
    CHECK(world.declarations().plan(files).empty());
    CHECK(world.services().issues.list(applied.company_id, {}).size() == 2);
}

TEST_CASE("an agent's name goes back to its key when it is declared no longer") {
    test::World world;
    const Files named = edited(test::acme(), "title: Chief Executive Officer",
                               "name: Ada\n    title: Chief Executive Officer");
    world.apply(named);
    CHECK(world.agent("ada").name == "Ada");
    world.apply(test::acme());
    CHECK(world.agent("ceo").name == "ceo");
    CHECK(world.declarations().plan(test::acme()).empty());
}

TEST_CASE("agents whose names are not told apart are refused, not numbered") {
    test::World world;
    for (const char* name : {"CTO", "\"Cto!\"", "Senior Python Eng 2"}) {
        const Files files =
            edited(test::acme(), "title: Chief Executive Officer", "name: " + std::string(name));
        CHECK_THROWS_WITH(world.apply(files), Contains("choose another name"));
    }
}

TEST_CASE("a name that an agent has until now cannot be given away before") {
    test::World world;
    const auto with_names = [](const std::string& ceo, const std::string& cto) {
        const Files files = edited(test::acme(), "title: Chief Executive Officer", "name: " + ceo);
        return edited(files, "reportsTo: ceo\n    adapter: { type: codex_local",
                      "name: " + cto + "\n    reportsTo: ceo\n    adapter: { type: codex_local");
    };
    world.apply(with_names("Ada", "Bob"));
    const Files swapped = with_names("Bob", "Ada");
    CHECK_THROWS_WITH(world.declarations().plan(swapped),
                      Contains("has the name \"Bob\" until now"));
    const Files moved = with_names("Carl", "Ada");
    world.apply(moved);
    CHECK(world.agent("ada").name == "Ada");
    CHECK(world.declarations().plan(moved).empty());
}

TEST_CASE("a stale plan is refused") {
    test::World world;
    world.apply(test::acme());
    const Files files = edited(test::acme(), "$80/month", "$90/month");
    const auto plan = world.declarations().plan(files);
    Patch<agents::Agent> patch;
    patch.set(&agents::Agent::title, "Boss");
    world.services().agents.patch(Actor::local_board(), world.agent("ceo").id, patch, false);
    CHECK_THROWS_AS(world.declarations().apply(Actor::local_board(), files, {}, plan.fingerprint),
                    Error);
    CHECK(world.agent("ceo").title == "Boss");
}

TEST_CASE("an agent hired at run time is left alone until it is declared") {
    test::World world;
    const auto applied = world.apply(test::acme());
    Patch<agents::Agent> patch;
    patch.set(&agents::Agent::name, "Helper");
    patch.set(&agents::Agent::adapter_type, "claude_local");
    world.services().agents.create(Actor::local_board(), applied.company_id, patch);
    const auto plan = world.declarations().plan(test::acme());
    CHECK(plan.empty());
    CHECK(plan.unmanaged == std::vector<std::string>{"helper"});

    const Files files =
        edited(test::acme(), "\nbudgets:\n",
               "  helper: { role: qa, adapter: { type: claude_local } }\n\nbudgets:\n");
    const auto adopting = world.declarations().plan(files);
    REQUIRE(adopting.changes.size() == 1);
    CHECK(adopting.changes[0].act == Act::adopt);
    world.apply(files);
    CHECK(world.agent("helper").role == agents::AgentRole::qa);
    CHECK(world.declarations().plan(files).empty());
}

TEST_CASE("instructions that a crash left behind are written by the next apply") {
    test::World world;
    world.apply(test::acme());
    const auto file = world.instructions() / world.agent("ceo").id.str() / "AGENTS.md";
    std::filesystem::remove(file);
    world.apply(test::acme());
    CHECK(read_file(file) == "You are the ceo.\n");
}
