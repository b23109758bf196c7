#include "engine/runs/control.hpp"

namespace paperclip::runs {

using agents::AgentStatus;

agents::AgentView Control::pause(const Actor& actor, const Id& id) {
    agents::Agent agent = agents_.get(id);
    if (agent.status == AgentStatus::paused) return agents_.view(agent);
    storage::Unit unit = core_.store.unit();
    agents_.add_pause(unit, actor, agent, "manual").into(agent).otherwise([] {
        throw Error(ErrorKind::conflict, "Agent cannot be paused in its current state");
    });
    engine_.add_halt(unit, id, "agent_paused", "Cancelled because the agent was paused");
    core_.store.submit(unit);
    return agents_.view(agent);
}

agents::AgentView Control::resume(const Actor& actor, const Id& id) {
    agents::Agent agent = agents_.get(id);
    if (agent.status == AgentStatus::terminated) {
        throw Error(ErrorKind::conflict, "Cannot resume terminated agent");
    }
    if (agent.status == AgentStatus::pending_approval) {
        throw Error(ErrorKind::conflict, "Agent is pending approval");
    }
    if (!agents_.health(agent).is_healthy()) {
        throw Error(ErrorKind::conflict, "Agent has an invalid org chain; give it another manager");
    }
    if (agent.status != AgentStatus::paused) return agents_.view(agent);
    storage::Unit unit = core_.store.unit();
    agents_.add_resume(unit, actor, agent).into(agent);
    core_.store.submit(unit);
    return agents_.view(agent);
}

agents::AgentView Control::terminate(const Actor& actor, const Id& id) {
    agents::Agent agent = agents_.get(id);
    if (agent.status == AgentStatus::terminated) return agents_.view(agent);
    storage::Unit unit = core_.store.unit();
    agents_.add_terminate(unit, actor, agent).into(agent);
    engine_.add_halt(unit, id, "agent_not_invokable", "Cancelled because the agent was terminated");
    core_.store.submit(unit);
    return agents_.view(agent);
}

}  // namespace paperclip::runs
