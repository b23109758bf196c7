#include "tests/unit/declaration/world.hpp"

#include <random>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

/// A company as somebody might declare it, and as they might then change it.
class RandomCompany {
    static constexpr const char* k_prompt = "prompts/all.md";

 public:
    explicit RandomCompany(std::uint64_t seed) : random_(seed) {
        defaults_ = defaults();
        for (std::size_t i = 0, count = below(3); i < count; ++i) add_role();
        for (std::size_t i = 0, count = 1 + below(5); i < count; ++i) add_agent();
        for (std::size_t i = 0, count = below(4); i < count; ++i) add_goal();
        for (std::size_t i = 0, count = below(3); i < count; ++i) add_project();
        for (std::size_t i = 0, count = below(4); i < count; ++i) add_issue();
    }

    /// One to three changes.
    void edit() {
        for (std::size_t i = 0, count = 1 + below(3); i < count; ++i) {
            switch (below(8)) {
                case 0:
                    add_agent();
                    break;
                case 1:
                    add_goal();
                    break;
                case 2:
                    mission_ = text();
                    break;
                case 3: {
                    const std::size_t which = below(agents_.size());
                    agents_[which] = agent(which);
                    break;
                }
                case 4:
                    if (agents_.size() > 1) agents_.pop_back();
                    break;
                case 5:
                    defaults_ = defaults();
                    break;
                case 6:
                    prompt_ = text();
                    break;
                default:
                    add_project();
            }
        }
    }

    [[nodiscard]] declaration::Files files() const {
        std::string yaml =
            "schema: paperclip.company/v1\nslug: acme\nname: Acme\nmission: " + mission_ +
            "\ntimezone: Europe/Berlin\n";
        const auto section = [&](const char* name, const char* prefix,
                                 const std::vector<std::string>& entries) {
            if (entries.empty()) return;
            yaml += std::string(name) + ":\n";
            for (std::size_t i = 0; i < entries.size(); ++i) {
                yaml += "  " + std::string(prefix) + std::to_string(i) + ": " + entries[i] + "\n";
            }
        };
        yaml += "secrets: [TOKEN]\ndefaults: " + defaults_ + "\n";
        section("goals", "goal-", goals_);
        section("roles", "role-", roles_);
        section("agents", "agent-", agents_);
        section("projects", "project-", projects_);
        section("issues", "issue-", issues_);
        declaration::Files files = company_file(yaml);
        if (yaml.find(k_prompt) != std::string::npos) files[k_prompt] = prompt_;
        return files;
    }

 private:
    std::size_t below(std::size_t limit) { return random_() % limit; }
    bool maybe() { return below(2) == 0; }
    template <class... Words>
    std::string one_of(Words... words) {
        const std::string list[] = {words...};
        return list[below(sizeof...(words))];
    }
    std::string text() {
        return one_of("Plain words", "\"with: colon\"", "'it''s quoted'",
                      "\"tab\\tand \\\"quotes\\\"\"", "\"Grüße 😀\"", "\"yes\"", "\"007\"",
                      "\"a # b\"", "\"- dash\"", "\"~\"", "\" spaces around \"", "\"two\\nlines\"",
                      "\"ends in a newline\\n\"", "\"\\r\\n\"", "\"#\"", "\"*star\"", "\"1e3\"",
                      "\"0x1F\"", "\"22:00\"", "\"null\"", "\"\\u0085\\u2028\"", "\"a: b\"",
                      "\"---\"", "\"\\u007f\"", "'{\"json\": [1]}'");
    }

    /// Members that `defaults:`, a role and an agent may each have; every one ends in ", ".
    std::string settings() {
        std::string members;
        if (maybe())
            members += "budget: " +
                       one_of("$5/month", "[$50/month, $2/run]", "$0.01/month",
                              "[$1/month, 2M tokens/day]", "unlimited", "50 runs/day") +
                       ", ";
        if (maybe())
            members += "heartbeat: " +
                       one_of("{ every: 30m }", "{ cron: \"0 9 * * 1-5\", runWhenIdle: true }",
                              "{ every: 4h, jitter: 2m, quietHours: 22:00-07:00 }",
                              "{ every: 90s, quietHours: none }",
                              "{ cron: \"*/30 8-18 * * 1-5\", timezone: America/New_York }") +
                       ", ";
        if (maybe())
            members += "limits: { timeout: " + one_of("45m", "1h", "90s") +
                       ", maxConcurrentRuns: " + std::to_string(1 + below(3)) + " }, ";
        if (maybe())
            members += "env: { LEVEL: " + one_of("3", "\"3\"", "true", "\"\"") +
                       ", NOTE: " + text() + ", TOKEN: { secret: TOKEN } }, ";
        if (below(4) == 0) members += "instructions: " + std::string(k_prompt) + ", ";
        if (below(4) == 0) members += "capabilities: " + text() + ", ";
        return members;
    }
    std::string adapter() {
        return "adapter: { type: process, config: { command: " + one_of("\"true\"", "python3") +
               one_of("", ", args: [a, \"1\", \"\"]",
                      ", cwd: work, nested: { list: [1, 2.5, null] }") +
               " } }";
    }
    std::string defaults() { return "{ " + settings() + adapter() + " }"; }

    std::string agent(std::size_t index) {
        std::string entry = "{ " + settings() + "role: ";
        const bool own_role = !roles_.empty() && maybe();
        entry += own_role ? "role-" + std::to_string(below(roles_.size()))
                          : one_of("ceo", "engineer", "qa", "devops");
        if (maybe()) entry += ", " + adapter();
        if (index > 0 && maybe()) entry += ", reportsTo: " + manager(index);
        if (maybe()) entry += ", title: " + text();
        if (maybe()) entry += ", name: \"Ada: #" + std::to_string(index) + "\"";
        if (!own_role && maybe()) entry += ", permissions: [agents:create]";
        return entry + " }";
    }
    std::string manager(std::size_t index) { return "agent-" + std::to_string(below(index)); }
    void add_role() {
        roles_.push_back("{ " + settings() + "baseRole: " + one_of("researcher", "pm") +
                         ", permissions: [tasks:assign] }");
    }
    void add_agent() { agents_.push_back(agent(agents_.size())); }
    void add_goal() {
        std::string entry = "{ title: " + text();
        if (!goals_.empty() && maybe())
            entry += ", parent: goal-" + std::to_string(below(goals_.size()));
        if (maybe()) entry += ", targetDate: 2026-12-31";
        if (maybe()) entry += ", level: team";
        if (maybe()) entry += ", description: " + text();
        goals_.push_back(entry + " }");
    }
    void add_project() {
        std::string entry = "{ name: Project " + std::to_string(projects_.size());
        if (!goals_.empty() && maybe())
            entry += ", goals: [goal-" + std::to_string(below(goals_.size())) + "]";
        if (maybe()) entry += ", workspace: { repoUrl: https://example.com/a.git, repoRef: main }";
        if (maybe()) entry += ", color: \"#12ab9f\"";
        projects_.push_back(entry + " }");
    }
    void add_issue() {
        std::string entry = "{ title: " + text();
        if (!projects_.empty() && maybe())
            entry += ", project: project-" + std::to_string(below(projects_.size()));
        if (!issues_.empty() && maybe())
            entry += ", blockedBy: [issue-" + std::to_string(below(issues_.size())) + "]";
        if (maybe()) entry += ", priority: high";
        if (maybe()) entry += ", description: " + text();
        issues_.push_back(entry + " }");
    }

    std::mt19937_64 random_;
    std::string mission_ = "Do good work.";
    std::string defaults_;
    std::string prompt_ = "You are one of us.\n";
    std::vector<std::string> roles_;
    std::vector<std::string> agents_;
    std::vector<std::string> goals_;
    std::vector<std::string> projects_;
    std::vector<std::string> issues_;
};

/// Applies and says that a second time changes nothing.
Id apply_twice(World& world, const declaration::Files& files) {
    const auto result = world.apply(files);
    const auto again = world.declarations().plan(files);
    INFO(declaration::to_text(again));
    CHECK(again.empty());
    CHECK_FALSE(world.apply(files).changed);
    CHECK(world.declarations().drift(result.company_id).changes.empty());
    return result.company_id;
}

}  // namespace

TEST_CASE("what is declared, applied and exported is the same company elsewhere, after any edit") {
    const int companies = PAPERCLIP_TEST_EFFORT < 1 ? 12 : 200;
    for (int seed = 1; seed <= companies; ++seed) {
        World here;
        RandomCompany company(static_cast<std::uint64_t>(seed));
        for (int edit = 0; edit < 3; ++edit) {
            const auto files = company.files();
            INFO("seed " << seed << ", edit " << edit << "\n" << files.at("company.yaml"));
            const Id id = apply_twice(here, files);
            const auto exported = here.declarations().export_company(id);
            INFO(exported.at("company.yaml"));
            World there;
            const Id copy = apply_twice(there, exported);
            CHECK(there.declarations().export_company(copy) == exported);
            CHECK(here.declarations().plan(exported).empty());
            company.edit();
        }
    }
}

}  // namespace paperclip::test
