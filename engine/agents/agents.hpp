#pragma once

#include "engine/access/agent_keys.hpp"
#include "engine/agents/adapters.hpp"
#include "engine/agents/agent.hpp"
#include "engine/agents/heartbeat_policy.hpp"
#include "engine/agents/org.hpp"
#include "engine/company/companies.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::storage {
const SqlModule& agents_sql();
}

namespace paperclip::agents {

/// Agents and the org chart. Thread-safe.
class Agents {
 public:
    Agents(Core core, company::Ledger& ledger, const Adapters& adapters, access::AgentKeys& keys)
        : core_(core), ledger_(ledger), adapters_(adapters), keys_(keys) {}

    AgentView create(const Actor& actor, const Id& company, const Patch<Agent>& input);
    /// Adds the steps that create `agent` (its id, key and times are set here), and puts it into
    /// the directory.
    void add_create(storage::Unit& unit, const Actor& actor, Agent& agent, Directory& directory);

    /// Throws Error{not_found}.
    Agent get(const Id& id);
    AgentDetail detail(const Id& id);
    /// Everybody who is not terminated. An agent sees the others without their configuration.
    std::vector<AgentView> list(const Id& company, const Actor& actor);
    std::vector<Agent> roster(const Id& company);
    /// The agent's manager, reports and peers, at most twenty of each; in no particular order.
    std::vector<Agent> near(const Agent& agent);
    std::vector<OrgNode> org(const Id& company);

    AgentView patch(const Actor& actor, const Id& id, const Patch<Agent>& input,
                    bool replace_adapter_config);
    /// Adds the steps that change `agent` by `change`. Throws Error{unprocessable} when the result
    /// makes no sense.
    void add_patch(storage::Unit& unit, const Actor& actor, const Agent& agent, Patch<Agent> change,
                   Directory& directory);
    /// After the last step that changes who reports to whom: the unit fails when `id` came to be
    /// above itself.
    static void add_chart_guard(storage::Unit& unit, const Id& id);
    AgentView clear_error(const Actor& actor, const Id& id);
    AgentDetail set_permissions(const Actor& actor, const Id& id, const Permissions& permissions);

    /// Steps for runs/, which decides when an agent stops, starts and ends a run.
    storage::Unit::Added add_pause(storage::Unit& unit, const Actor& actor, const Agent& agent,
                                   std::string_view reason);
    storage::Unit::Added add_resume(storage::Unit& unit, const Actor& actor, const Agent& agent);
    storage::Unit::Added add_terminate(storage::Unit& unit, const Actor& actor, const Agent& agent);

    /// Shows `agent` as the API does.
    AgentView view(const Agent& agent);
    OrgChainHealth health(const Agent& agent);

 private:
    void submit_patch(const Actor& actor, const Agent& agent, const Patch<Agent>& input,
                      bool replace_adapter_config);
    void check(const Agent& agent, Directory& directory) const;
    void log_activity(storage::Unit& unit, const Actor& actor, std::string_view action,
                      const Agent& agent, const std::string& details = "{}");

    Core core_;
    company::Ledger& ledger_;
    const Adapters& adapters_;
    access::AgentKeys& keys_;
};

/// May agents of that role hire without being told so?
Permissions default_permissions(AgentRole role);

/// "senior-python-eng" of "Senior Python Eng!".
std::string slug_of(std::string_view name, std::string_view otherwise = "agent");

}  // namespace paperclip::agents
