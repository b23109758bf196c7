#include "engine/base/files.hpp"
#include "engine/declaration/folder.hpp"
#include "engine/declaration/format.hpp"
#include "tests/unit/declaration/world.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

using namespace paperclip;
using declaration::Files;

namespace {

constexpr const char* k_smallest =
    "schema: paperclip.company/v1\n"
    "slug: tiny\n"
    "name: Tiny\n"
    "agents:\n"
    "  solo:\n"
    "    adapter: { type: claude_local }\n";

/// What is wrong with the smallest company with one piece exchanged, without the warnings.
std::string errors(const std::string& from, const std::string& to) {
    test::World world;
    auto findings =
        world.declarations().validate(test::company_file(test::replaced(k_smallest, from, to)));
    std::erase_if(findings, [](const auto& finding) {
        return finding.severity == declaration::Severity::warning;
    });
    return to_text(findings);
}

}  // namespace

TEST_CASE("errors stand where they are, say what was expected and what was probably meant") {
    CHECK(errors("adapter:", "adaptor:") ==
          "company.yaml:6:5: error: agents.solo.adaptor: unknown key; did you mean adapter?\n");
    CHECK(errors("claude_local", "claud_local") ==
          "company.yaml:6:22: error: agents.solo.adapter.type: there is no installed adapter type "
          "\"claud_local\"; did you mean claude_local?\n");
    CHECK(
        errors("    adapter", "    budget: 5\n    adapter") ==
        "company.yaml:6:13: error: agents.solo.budget: expected a limit such as $5/month, $2/run, "
        "2M tokens/day, 50 runs/day or unlimited, found \"5\"\n");
    CHECK(
        errors("    adapter", "    reportsTo: sole\n    adapter") ==
        "company.yaml:6:16: error: agents.solo.reportsTo: there is no agent \"sole\"; did you mean "
        "solo?\n");
    CHECK(
        errors("    adapter", "    env: { A: { secret: TOKEN } }\n    adapter") ==
        "company.yaml:6:25: error: agents.solo.env.A.secret: there is no secret \"TOKEN\"; none is "
        "declared\n");
    CHECK(errors("    adapter", "    instructions: ../x.md\n    adapter")
              .find("company.yaml:6:19: error: agents.solo.instructions: expected a path within") ==
          0);
    CHECK(errors("    adapter", "    heartbeat: { cron: */15 * * * * }\n    adapter")
              .find("must be quoted: cron: \"*/15 * * * *\"") != std::string::npos);
    CHECK(errors("name: Tiny", "name: Tiny\nname: Two").find("company.yaml:4:1: error: ") == 0);
    CHECK(errors("name: Tiny\n", "").find("name: is missing; expected a text") !=
          std::string::npos);
    CHECK(errors("    adapter", "    reportsTo: solo\n    adapter")
              .find("goes round in a circle: solo -> solo") != std::string::npos);
}

TEST_CASE("the key of an approval was the one that nobody checked") {
    CHECK(errors("agents:", "approvals:\n  Hire_: { approvers: [owner] }\nagents:")
              .find("company.yaml:5:3: error: approvals.Hire_: expected a key of") == 0);
}

TEST_CASE("validate passed the variables that apply refused") {
    CHECK(errors("    adapter: { type: claude_local }",
                 "    adapter: { type: process, config: { command: x } }\n"
                 "    env: { FORBIDDEN: 1 }") ==
          "company.yaml:7:23: error: agents.solo.env.FORBIDDEN: adapter process: env.FORBIDDEN: is "
          "not allowed\n");
    CHECK(errors("agents:\n  solo:\n    adapter: { type: claude_local }",
                 "defaults: { env: { FORBIDDEN: 1 } }\n"
                 "agents:\n  solo:\n    adapter: { type: process, config: { command: x } }") ==
          "company.yaml:4:31: error: defaults.env.FORBIDDEN: adapter process of agent solo: "
          "env.FORBIDDEN: is not allowed\n");
    CHECK(errors("claude_local }", "process, config: { command: 7 } }") ==
          "company.yaml:6:50: error: agents.solo.adapter.config.command: adapter process: command: "
          "expected string, found integer\n");
}

TEST_CASE("an empty config: is no configuration") {
    CHECK(errors("claude_local }", "claude_local, config: }") ==
          "company.yaml:6:36: error: agents.solo.adapter.config: expected a mapping (key: value), "
          "found nothing\n");
}

TEST_CASE(
    "the formatted company is the same company, with its comments, and formatted again itself") {
    const std::string once = declaration::format_yaml(test::acme().at("company.yaml"));
    INFO(once);
    CHECK(declaration::format_yaml(once) == once);
    CHECK(once.find("# for every cron, quiet hour and budget month below") != std::string::npos);
    CHECK(once.find("  ceo:\n    role: ceo\n") == std::string::npos);  // adapter comes first
}

TEST_CASE("an export of what was applied is what was applied") {
    test::World world;
    const auto applied = world.apply(test::acme());
    const Files exported = world.declarations().export_company(applied.company_id);
    INFO(exported.at("company.yaml"));
    CHECK(world.declarations().drift(applied.company_id).changes.empty());
    CHECK(world.declarations().plan(exported).empty());
    CHECK(exported.at("prompts/ceo.md") == "You are the ceo.\n");
}

TEST_CASE("an export has what people changed, and applying it changes nothing") {
    test::World world;
    const auto applied = world.apply(test::acme());
    Patch<agents::Agent> patch;
    patch.set(&agents::Agent::title, "Boss");
    patch.set(&agents::Agent::reports_to, std::optional(world.agent("ceo").id));
    world.services().agents.patch(Actor::local_board(), world.agent("senior-python-eng-2").id,
                                  patch, false);
    CHECK(to_text(world.declarations().drift(applied.company_id)) ==
          "agent senior-python-eng-2\n  reportsTo: cto -> ceo\n");
    const Files exported = world.declarations().export_company(applied.company_id);
    INFO(exported.at("company.yaml"));
    CHECK(exported.at("company.yaml").find("title: Boss") != std::string::npos);
    CHECK(world.declarations().plan(exported).empty());
}

TEST_CASE("what people took from an agent does not come back from the defaults of its export") {
    test::World world;
    const Id company = world.apply(test::acme()).company_id;
    Patch<agents::Agent> patch;
    patch.set(&agents::Agent::runtime_config, Json{"{}"});
    world.services().agents.patch(Actor::local_board(), world.agent("cto").id, patch, false);
    const Files exported = world.declarations().export_company(company);
    INFO(exported.at("company.yaml"));
    CHECK(world.declarations().plan(exported).empty());
}

TEST_CASE("what was made at run time is exported by name, and applying it doubles nothing") {
    test::World world;
    const Id company = world.apply(test::acme()).company_id;
    const auto services = world.services();
    const auto add_goal = [&](const char* title, const std::optional<Id>& parent) {
        Patch<work::Goal> goal;
        goal.set(&work::Goal::title, title);
        goal.set(&work::Goal::parent_id, parent);
        return services.goals.create(Actor::local_board(), company, goal).id;
    };
    const Id first = add_goal("Ship it!", {});
    add_goal("Ship it", first);
    add_goal("\u65e5\u672c\u8a9e", {});
    add_goal("Yes", {});
    Patch<agents::Agent> agent;
    agent.set(&agents::Agent::name, "No");
    agent.set(&agents::Agent::adapter_type, "claude_local");
    services.agents.create(Actor::local_board(), company, agent);

    const Files exported = world.declarations().export_company(company);
    const std::string& text = exported.at("company.yaml");
    INFO(text);
    for (const char* key :
         {"  ship-it:", "  ship-it-2:", "  goal:", "  yes-goal:", "  no-agent:"}) {
        CHECK(text.find(key) != std::string::npos);
    }
    const std::size_t goals = services.goals.list(company).size();
    const std::size_t agents = services.agents.roster(company).size();
    const declaration::Plan plan = world.declarations().plan(exported);
    for (const declaration::Change& change : plan.changes) {
        CAPTURE(change.slug);
        CHECK(change.act == declaration::Act::adopt);
        CHECK(change.fields.empty());
    }
    world.apply(exported);
    CHECK(services.goals.list(company).size() == goals);
    CHECK(services.agents.roster(company).size() == agents);
    CHECK(world.declarations().plan(exported).empty());
}

TEST_CASE("an explanation says what an agent can spend, reach and do") {
    test::World world;
    const auto text = world.declarations().explain(test::acme(), "senior-python-eng-1").text;
    CHECK(text.find("at most $50/month") != std::string::npos);
    CHECK(text.find("secrets: GITHUB_TOKEN") != std::string::npos);
    CHECK(text.find("hire nobody") != std::string::npos);
}

TEST_CASE("a folder is read without following links") {
    const test::TempFolder folder;
    write_file_durably(
        folder / "company.yaml",
        test::replaced(k_smallest, "    adapter", "    instructions: a.md\n    adapter"));
    write_file_durably(folder / "a.md", "hello");
    CHECK(declaration::read_folder(folder.path()).at("a.md") == "hello");
    std::filesystem::remove(folder / "a.md");
    std::filesystem::create_symlink("/etc/hostname", folder / "a.md");
    CHECK_THROWS_AS(declaration::read_folder(folder.path()), Error);
}

TEST_CASE("the instructions of a role that no agent has need not be there") {
    const std::string text =
        "schema: paperclip.company/v1\nslug: acme\nname: Acme\n"
        "roles:\n  writer: { baseRole: general, instructions: prompts/writer.md }\n"
        "agents:\n  ada: { role: ROLE, adapter: { type: claude_local } }\n";
    test::World world;
    CHECK_NOTHROW(world.apply(test::company_file(test::replaced(text, "ROLE", "ceo"))));
    CHECK_THROWS_WITH(world.apply(test::company_file(test::replaced(text, "ROLE", "writer"))),
                      Catch::Matchers::Contains("there is no file prompts/writer.md"));
}

TEST_CASE("companies/company.schema.json is the JSON Schema of the vocabulary") {
    INFO(
        "make it again: build/bin/paperclipai schema | "
        "python3 -m json.tool --no-ensure-ascii --indent 2 > companies/company.schema.json");
    const auto published = read_file(PAPERCLIP_TEST_SOURCE "/companies/company.schema.json");
    CHECK(parse_json(published) == parse_json(declaration::json_schema()));
}
