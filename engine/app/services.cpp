#include "engine/app/services.hpp"

#include "engine/access/setup.hpp"
#include "engine/agents/setup.hpp"
#include "engine/company/setup.hpp"
#include "engine/declaration/setup.hpp"
#include "engine/governance/setup.hpp"
#include "engine/journal/setup.hpp"
#include "engine/work/setup.hpp"

namespace paperclip::app {
namespace {

/// A run's token outlives the longest run that anybody configures.
constexpr std::chrono::hours k_token_life{48};
constexpr const char* k_instance = "default";

std::string issue_token(const access::RunTokens& tokens, const runs::Run& run,
                        const agents::Agent& agent) {
    return tokens.issue({.agent_id = run.agent_id,
                         .company_id = run.company_id,
                         .run_id = run.id,
                         .adapter_type = agent.adapter_type,
                         .responsible_user_id = run.responsible_user_id.value_or("")});
}

}  // namespace

Services::Services(const Machine& m)
    : store(m.store),
      machine(m),
      journal(m.clock, m.ids, m.redactor),
      core{m.store, journal, m.clock, m.ids},
      relay(m.store, m.executor, m.timers, m.clock, m.journal_linger),
      budgets(core),
      companies(core, budgets),
      keys(core),
      tokens(m.clock, m.token_secret, k_instance, k_token_life),
      adapters(m.adapters),
      agents(core, budgets, adapters, keys),
      goals(core),
      projects(core, m.places.projects()),
      issues(core),
      runs(core, agents, issues, budgets),
      secrets(m.redactor),
      briefer(core, runs, agents, issues, goals, projects, companies, budgets,
              {m.api_url, m.places.workspaces(), m.places.instructions()}),
      world{.runs = runs,
            .agents = agents,
            .briefer = briefer,
            .children = m.children,
            .http = m.http,
            .adapters = m.adapters,
            .secrets = secrets,
            .redactor = m.redactor,
            .timers = m.timers,
            .executor = m.executor,
            .clock = m.clock,
            .run_folders = m.places.runs(),
            .log_root = m.places.logs(),
            .api_url = m.api_url,
            .base_environment = m.base_environment,
            .token = [this](const runs::Run& run,
                            const agents::Agent& agent) { return issue_token(tokens, run, agent); },
            .log_line = [](const runs::Run&, std::string_view) {}},
      wakeups(core, runs, agents, issues, companies),
      run_engine(world, wakeups, m.run_options),
      control(core, agents, run_engine),
      scheduler(core, world, wakeups, issues),
      planner(core, wakeups, issues, scheduler, run_engine),
      views(core, run_engine),
      peers(run_engine),
      gate(core, keys, tokens, peers),
      stopper(run_engine),
      declarations({.core = core,
                    .companies = companies,
                    .agents = agents,
                    .goals = goals,
                    .projects = projects,
                    .issues = issues,
                    .budgets = budgets,
                    .adapters = adapters,
                    .instructions_root = m.places.instructions()},
                   stopper) {
    journal.announce_to(relay);
    relay.add_consumer(planner);
    declarations.on_applied([this] { declare_secrets(); });
}

void Services::declare_secrets() {
    // One after the other: of two applies the one that reads last is the one that counts.
    const std::lock_guard lock(secrets_mutex_);
    secrets.declare(declarations.declared_secrets());
}

void Services::add_sql(storage::Catalogue& catalogue) {
    journal::add_sql(catalogue);
    company::add_sql(catalogue);
    access::add_sql(catalogue);
    agents::add_sql(catalogue);
    work::add_sql(catalogue);
    governance::add_sql(catalogue);
    runs::add_sql(catalogue);
    declaration::add_sql(catalogue);
}

void Services::add_routes(http::Router& router) {
    company::add_routes(router, companies);
    agents::add_routes(router, core, agents);
    access::add_routes(router, keys);
    work::add_goal_routes(router, goals);
    work::add_project_routes(router, core, projects);
    work::add_issue_routes(router, core, issues, goals, projects);
    governance::add_routes(router, core, budgets, companies);
    const runs::RouteWorld run_routes{core,       agents,  issues,    runs,  wakeups,
                                      run_engine, control, scheduler, views, machine.places.logs()};
    runs::add_wake_routes(router, run_routes);
    runs::add_run_routes(router, run_routes);
    declaration::add_routes(router, declarations);
}

void Services::start() {
    declare_secrets();
    make_private_folder(machine.places.runs());
    spread_subfolders(machine.places.runs());
    run_engine.recover();
    relay.start();
    scheduler.start();
}

void Services::stop(bool drain) {
    scheduler.stop();
    run_engine.shut_down(drain);
    relay.flush();
}

}  // namespace paperclip::app
