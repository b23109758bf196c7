#pragma once

#include "engine/runs/run_engine.hpp"

namespace paperclip::runs {

/// What people do with agents at work: pause, resume, terminate. Thread-safe.
class Control {
 public:
    Control(Core core, agents::Agents& agents, Runs& runs, RunEngine& engine)
        : core_(core), agents_(agents), runs_(runs), engine_(engine) {}

    /// Nothing of the agent starts any more; what is at work is stopped.
    agents::AgentView pause(const Actor& actor, const Id& agent);
    agents::AgentView resume(const Actor& actor, const Id& agent);
    /// For good: keys are revoked, runs stopped.
    agents::AgentView terminate(const Actor& actor, const Id& agent);

 private:
    /// Submits `unit`, in which nothing of the agent waits any more, and stops what is at work.
    void halt(storage::Unit& unit, const Id& agent, std::string_view code,
              const std::string& message);

    Core core_;
    agents::Agents& agents_;
    Runs& runs_;
    RunEngine& engine_;
};

}  // namespace paperclip::runs
