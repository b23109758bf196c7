#include "tests/unit/declaration/world.hpp"

#include "engine/access/setup.hpp"
#include "engine/agents/setup.hpp"
#include "engine/company/setup.hpp"
#include "engine/declaration/setup.hpp"
#include "engine/governance/setup.hpp"
#include "engine/journal/setup.hpp"
#include "engine/runs/setup.hpp"
#include "engine/work/setup.hpp"

#include <boost/json.hpp>

namespace paperclip::test {

using storage::operator""_sql;

bool FakeAdapters::knows(std::string_view type) const {
    const auto all = types();
    return std::find(all.begin(), all.end(), type) != all.end();
}

std::vector<std::string> FakeAdapters::check_config(std::string_view type, const Json& config,
                                                    bool complete) const {
    const auto value = config.parse();
    std::vector<std::string> findings;
    const auto* command = value.as_object().if_contains("command");
    if (type == "process" && command == nullptr && complete) {
        findings.emplace_back("Missing required property 'command'.");
    }
    if (command != nullptr && !command->is_string()) {
        findings.emplace_back("command: expected string, found integer");
    }
    const auto* env = value.as_object().if_contains("env");
    if (type == "process" && env != nullptr && env->as_object().contains("FORBIDDEN")) {
        findings.emplace_back("env.FORBIDDEN: is not allowed");
    }
    return findings;
}

struct World::Parts : declaration::Stopper {
    TempFolder folder;
    std::unique_ptr<pluginhost::StoragePlugin> plugin;
    storage::Catalogue catalogue{"sqlite"};
    std::unique_ptr<storage::Store> store;
    ManualClock clock{Time{std::chrono::hours(24 * 365 * 55)}};
    Ids ids{clock, 7};
    Redactor redactor;
    journal::Journal journal{clock, ids, redactor};
    FakeAdapters adapters;
    std::vector<std::string> stopped;
    std::unique_ptr<governance::Budgets> budgets;
    std::unique_ptr<company::Companies> companies;
    std::unique_ptr<access::AgentKeys> keys;
    std::unique_ptr<agents::Agents> agents;
    std::unique_ptr<work::Goals> goals;
    std::unique_ptr<work::Projects> projects;
    std::unique_ptr<work::Issues> issues;
    std::unique_ptr<declaration::Declarations> declarations;

    Core core() { return {*store, journal, clock, ids}; }
    void add_stop(storage::Unit& unit, const agents::Agent& agent) override {
        unit.after([this, name = agent.url_key] { stopped.push_back(name); });
    }
};

World::World() : parts_(std::make_unique<Parts>()) {
    Parts& p = *parts_;
    p.plugin = std::make_unique<pluginhost::StoragePlugin>(sqlite_library(),
                                                           sqlite_config(p.folder / "state.db"));
    journal::add_sql(p.catalogue);
    company::add_sql(p.catalogue);
    access::add_sql(p.catalogue);
    agents::add_sql(p.catalogue);
    work::add_sql(p.catalogue);
    governance::add_sql(p.catalogue);
    runs::add_sql(p.catalogue);
    declaration::add_sql(p.catalogue);
    storage::migrate(*p.plugin, p.catalogue, {});
    p.catalogue.publish(*p.plugin);
    p.store = std::make_unique<storage::Store>(*p.plugin, p.catalogue);
    p.budgets = std::make_unique<governance::Budgets>(p.core());
    p.companies = std::make_unique<company::Companies>(p.core(), *p.budgets);
    p.keys = std::make_unique<access::AgentKeys>(p.core());
    p.agents = std::make_unique<agents::Agents>(p.core(), *p.budgets, p.adapters, *p.keys);
    p.goals = std::make_unique<work::Goals>(p.core());
    p.projects = std::make_unique<work::Projects>(p.core(), p.folder / "projects");
    p.issues = std::make_unique<work::Issues>(p.core());
    p.declarations = std::make_unique<declaration::Declarations>(services(), p);
}

World::~World() = default;

declaration::Services World::services() {
    Parts& p = *parts_;
    return {p.core(),  *p.companies, *p.agents,  *p.goals,      *p.projects,
            *p.issues, *p.budgets,   p.adapters, instructions()};
}
declaration::Declarations& World::declarations() {
    return *parts_->declarations;
}
ManualClock& World::clock() {
    return parts_->clock;
}
std::filesystem::path World::instructions() const {
    return parts_->folder / "instructions";
}
const std::vector<std::string>& World::stopped() const {
    return parts_->stopped;
}

agents::Agent World::agent(const std::string& key) {
    for (const auto& company : parts_->companies->list()) {
        for (const auto& agent : parts_->agents->roster(company.id)) {
            if (agent.url_key == key) return agent;
        }
    }
    throw Error(ErrorKind::not_found, "no agent " + key);
}

declaration::ApplyResult World::apply(const declaration::Files& files) {
    return declarations().apply(Actor::local_board(), files);
}

declaration::Files company_file(std::string text) {
    return {{"company.yaml", std::move(text)}};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    if (at == std::string::npos) throw std::logic_error("not in the text: " + from);
    return text.replace(at, from.size(), to);
}

declaration::Files acme() {
    declaration::Files files;
    for (const char* agent : {"ceo", "cto", "marketing-analyst"}) {
        files["prompts/" + std::string(agent) + ".md"] =
            "You are the " + std::string(agent) + ".\n";
    }
    files["company.yaml"] = R"(# yaml-language-server: $schema=../company.schema.json
schema: paperclip.company/v1
slug: acme-ai-startup
name: Acme AI Startup
mission: Give small teams the code review they never have time for.
timezone: Europe/Berlin                 # for every cron, quiet hour and budget month below
secrets: [ANTHROPIC_API_KEY, GITHUB_TOKEN, { SLACK_WEBHOOK: file:/run/secrets/slack }]

goals:
  ship-mvp: { title: Ship MVP by end of quarter, targetDate: 2026-12-31, owner: ceo }
  api-stable: { title: Public API answers p99 under 50 ms, level: team, parent: ship-mvp, owner: cto }

defaults:                               # every agent starts from this; roles, then agents, override
  budget: [$50/month, $2/run]
  heartbeat: { every: 30m, jitter: 2m, quietHours: 22:00-07:00 }
  limits: { timeout: 45m, outputTimeout: 10m, maxConcurrentRuns: 1, maxIssuesPerRun: 5 }
  confinement: { files: workspace, network: [api.anthropic.com, api.openai.com] }

roles:
  ceo: { permissions: [agents:create, tasks:assign] }
  cto: { permissions: [tasks:assign] }
  engineer: { permissions: [], tools: [read, edit, shell, git] }
  analyst: { baseRole: researcher, tools: [read, web] }

agents:
  ceo:
    role: ceo
    title: Chief Executive Officer
    adapter: { type: claude_local, config: { model: claude-opus-4-8 } }
    heartbeat: { cron: "0 9,15 * * 1-5", runWhenIdle: true }
    instructions: prompts/ceo.md
    budget: [$80/month, $4/run]
  cto:
    role: cto
    reportsTo: ceo
    adapter: { type: codex_local, config: { modelReasoningEffort: high } }
    heartbeat: { every: 4h }
    instructions: prompts/cto.md
  senior-python-eng:
    from: cliphub:acme/senior-python-eng@1.2.0
    role: engineer
    reportsTo: cto
    count: 3
    adapter: { type: claude_local }
    env: { GITHUB_TOKEN: { secret: GITHUB_TOKEN }, LEVEL: 3 }
    confinement: { files: workspace, network: [api.anthropic.com, api.github.com] }
  marketing-analyst:
    role: analyst
    reportsTo: ceo
    adapter: { type: claude_local }
    heartbeat: { cron: "30 8 * * 1", timezone: America/New_York }
    instructions: prompts/marketing-analyst.md
    budget: [$20/month, 2M tokens/day]
  uptime-monitor:
    role: devops
    reportsTo: cto
    adapter: { type: process, config: { command: python3, args: [tools/monitor.py] } }
    heartbeat: { every: 5m, check: [tools/error-rate.sh], quietHours: none }
    budget: $5/month

budgets:
  - { scope: company, limit: $400/month, warnPercent: 80 }
  - { scope: team:cto, limit: $250/month }
  - { scope: project:api, limit: $900/lifetime }

projects:
  api:
    name: Public API
    lead: cto
    goals: [api-stable]
    workspace: { repoUrl: https://github.com/acme/api, strategy: git_worktree }

issues:
  health-route: { title: Add GET /health, project: api, assignee: senior-python-eng-1, priority: high }
  load-test: { title: Load-test the API, project: api, assignee: senior-python-eng-2, blockedBy: [health-route] }

routines:
  board-report: { title: Write the weekly board report, assignee: ceo, cron: "0 8 * * 1", catchUpPolicy: skip_missed }
  ci-failed: { title: "Fix build {{run_url}}", assignee: cto, variables: [run_url], webhook: { signingMode: github_hmac } }

approvals:
  hire: { approvers: [owner], expires: 3d }
  raise-budget: { approvers: [owner], autoApproveBelow: $10 }
  permission-change: { approvers: [owner, admin], quorum: 2 }

notify:
  - { events: [approval.*, budget.*, agent.error], via: slack, config: { webhookUrl: { secret: SLACK_WEBHOOK } } }
  - { events: [digest], via: email, config: { to: board@acme.example }, cron: "0 8 * * 1-5" }
)";
    return files;
}

}  // namespace paperclip::test
