#pragma once

#include "engine/declaration/applying.hpp"
#include "engine/runs/run_engine.hpp"

namespace paperclip::declaration {

/// Stops agents in the engine that runs them. Lives as long as that.
class RunStopper final : public Stopper {
 public:
    explicit RunStopper(runs::RunEngine& engine) : engine_(engine) {}

    void add_stop(storage::Unit& unit, const agents::Agent& agent) override {
        engine_.add_halt(unit, agent.id, "agent_not_invokable",
                         "Cancelled because the declaration no longer has the agent");
    }

 private:
    runs::RunEngine& engine_;
};

}  // namespace paperclip::declaration
