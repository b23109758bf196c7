#pragma once

#include "engine/agents/agent.hpp"
#include "engine/storage/store.hpp"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace paperclip::agents {

/// Finds agents in the store, and those that the unit being built is about to create or change. For
/// one operation on one thread.
class Directory {
 public:
    explicit Directory(storage::Store& store) : store_(store) {}

    std::optional<Agent> find(const Id& id);
    /// Is `key` the key of another agent that is not terminated?
    bool is_taken(const Agent& agent, const std::string& key);
    /// The agent, its manager, that one's manager, … A cycle ends it.
    std::vector<Agent> chain_of(const Agent& agent);
    /// From now on `agent` is found as it is here.
    void put(const Agent& agent) { pending_[agent.id] = agent; }

 private:
    storage::Store& store_;
    std::map<Id, Agent> pending_;
};

/// What `chain` (an agent and its managers upwards) says of the agent.
OrgChainHealth health_of(std::span<const Agent> chain);
std::vector<ManagerLink> chain_of_command(std::span<const Agent> chain);

/// All agents of one company, for what needs them all: the tree, the list. Borrows them.
class OrgChart {
 public:
    explicit OrgChart(std::span<const Agent> agents);

    [[nodiscard]] std::vector<Agent> chain_of(const Agent& agent) const;
    /// The forest of those who are not terminated.
    [[nodiscard]] std::vector<OrgNode> forest() const;

 private:
    [[nodiscard]] OrgNode node(const Agent& agent) const;

    std::span<const Agent> agents_;
    std::unordered_map<Id, const Agent*> by_id_;
    std::unordered_map<Id, std::vector<const Agent*>> reports_;
};

}  // namespace paperclip::agents
