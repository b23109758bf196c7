#pragma once

#include "engine/runs/run_engine.hpp"

namespace paperclip::runs {

/// What people do with agents at work: pause, resume, terminate. Thread-safe.
class Control {
 public:
    Control(Core core, agents::Agents& agents, RunEngine& engine)
        : core_(core), agents_(agents), engine_(engine) {}

    /// Nothing of the agent starts any more; what is at work is stopped.
    agents::AgentView pause(const Actor& actor, const Id& agent);
    agents::AgentView resume(const Actor& actor, const Id& agent);
    /// For good: keys are revoked, runs stopped.
    agents::AgentView terminate(const Actor& actor, const Id& agent);

 private:
    Core core_;
    agents::Agents& agents_;
    RunEngine& engine_;
};

}  // namespace paperclip::runs
