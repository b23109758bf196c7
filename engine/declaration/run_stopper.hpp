#pragma once

#include "engine/declaration/applying.hpp"
#include "engine/runs/run_engine.hpp"

namespace paperclip::declaration {

/// Stops agents in the engine that runs them. Lives as long as that.
class RunStopper final : public Stopper {
 public:
    RunStopper(runs::Runs& runs, runs::RunEngine& engine) : runs_(runs), engine_(engine) {}

    void add_stop(storage::Unit& unit, const agents::Agent& agent) override {
        runs_.add_cancel_waiting(unit, agent.id, "agent_not_invokable",
                                 "Cancelled because the declaration no longer has the agent");
    }
    void stop(const agents::Agent& agent) override {
        engine_.stop_agent(agent.id, runs::StopKind::user,
                           "Cancelled because the declaration no longer has the agent");
    }

 private:
    runs::Runs& runs_;
    runs::RunEngine& engine_;
};

}  // namespace paperclip::declaration
