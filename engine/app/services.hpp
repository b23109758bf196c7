#pragma once

#include "engine/access/gate.hpp"
#include "engine/app/places.hpp"
#include "engine/declaration/declarations.hpp"
#include "engine/declaration/run_stopper.hpp"
#include "engine/journal/relay.hpp"
#include "engine/runs/adapter_catalog.hpp"
#include "engine/runs/peers.hpp"
#include "engine/runs/planner.hpp"
#include "engine/runs/setup.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace paperclip::app {

/// What an engine stands on and could also be a simulation: its store, its clock, how it starts
/// programs and speaks to the network.
struct Machine {
    storage::Store& store;
    const Clock& clock;
    Ids& ids;
    Executor& executor;
    TimerQueue& timers;
    pluginhost::Children& children;
    pluginhost::HttpClient& http;
    const pluginhost::AdapterTypes& adapters;
    Redactor& redactor;
    Places places;
    std::string api_url;  ///< without /api
    std::string token_secret;
    std::vector<std::string> base_environment;  ///< NAME=value, of every child
    runs::RunEngine::Options run_options;
    const pluginhost::Library* storage = nullptr;  ///< which checks backups; null: none are made
    Duration journal_linger{};                     ///< see journal::Relay
};

/// Every capability of the engine, put together. Lives as long as its machine; thread-safe.
class Services {
 public:
    explicit Services(const Machine& machine);

    /// Makes the statements of every module known.
    static void add_sql(storage::Catalogue& catalogue);
    /// Adds the routes of every module.
    void add_routes(http::Router& router);

    /// Goes on where an earlier engine stopped, then begins to work: runs first, so that nobody is
    /// woken twice; then the journal's consumers, then the timers.
    void start();
    /// Starts nothing more; live runs are left to their shims, or awaited when `drain`.
    void stop(bool drain);

    storage::Store& store;
    const Machine machine;
    journal::Journal journal;
    Core core;
    journal::Relay relay;
    governance::Budgets budgets;
    company::Companies companies;
    access::AgentKeys keys;
    access::RunTokens tokens;
    runs::AdapterCatalog adapters;
    agents::Agents agents;
    work::Goals goals;
    work::Projects projects;
    work::Issues issues;
    runs::Runs runs;
    runs::SecretSource secrets;
    runs::Briefer briefer;
    runs::SessionWorld world;
    runs::Wakeups wakeups;
    runs::RunEngine run_engine;
    runs::Control control;
    runs::Scheduler scheduler;
    runs::Planner planner;
    runs::RunViews views;
    runs::ProcessPeers peers;
    access::Gate gate;
    declaration::RunStopper stopper;
    declaration::Declarations declarations;

 private:
    void declare_secrets();

    std::mutex secrets_mutex_;
};

}  // namespace paperclip::app
