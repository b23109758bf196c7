#pragma once

#include "engine/runs/control.hpp"
#include "engine/runs/run_views.hpp"
#include "engine/runs/scheduler.hpp"

namespace paperclip::runs {

void add_sql(storage::Catalogue& catalogue);

/// What the routes of runs work with.
struct RouteWorld {
    Core core;
    agents::Agents& agents;
    work::Issues& issues;
    Runs& runs;
    Wakeups& wakeups;
    RunEngine& engine;
    Control& control;
    const Scheduler& scheduler;
    RunViews& views;
    std::filesystem::path log_root;
};

/// Waking agents, and holding them: /agents/{id}/wakeup, pause, resume, terminate, …
void add_wake_routes(http::Router& router, const RouteWorld& world);
/// Runs, their events and logs: /heartbeat-runs/{id}, …
void add_run_routes(http::Router& router, const RouteWorld& world);

}  // namespace paperclip::runs
