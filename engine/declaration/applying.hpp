#pragma once

#include "engine/declaration/planning.hpp"

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace paperclip::declaration {

/// What stopping an agent for good means to who runs it; the app implements it over runs/.
class Stopper {
 public:
    virtual ~Stopper() = default;
    /// Adds the steps that cancel what the agent has not begun; what is at work is stopped when the
    /// unit has succeeded.
    virtual void add_stop(storage::Unit& unit, const agents::Agent& agent) = 0;
};

/// Puts a plan into one unit. For one operation on one thread; it must live until the unit is
/// submitted.
class Applying {
 public:
    Applying(const Services& services, const Actor& actor, const Document& document,
             const Files& files, const Planning& planning, Stopper& stopper);

    /// Adds all steps. Writes the instructions of agents first: if the unit then fails, or the
    /// engine does, the next apply finds them and goes on.
    void add_steps(storage::Unit& unit);
    [[nodiscard]] const Id& company() const { return company_.id; }

 private:
    void add_company();
    void add_removed_agents();
    void add_agent(const Target& target, const EffectiveAgent& agent);
    void add_new_agent(const Target& target, const EffectiveAgent& agent);
    void add_agent_change(const Target& target, const EffectiveAgent& agent, const Change& change);
    void add_budget(const Id& agent, const AgentDraft& draft, const Change& change);
    void write_instructions(const Id& agent, const EffectiveAgent& agent_entry);
    void add_goals();
    void add_goal(const Target& target, const GoalEntry& entry);
    void add_projects();
    void add_project(const Target& target, const ProjectEntry& entry);
    void add_workspace(const Target& target, const Id& project);
    void add_seeds();
    void add_seed(const std::string& slug, const IssueEntry& entry);
    void add_removed_work();
    void add_records();

    [[nodiscard]] const Target& target(ObjectKind kind, const std::string& slug) const;
    [[nodiscard]] std::optional<Id> id_of(ObjectKind kind,
                                          const std::optional<std::string>& slug) const;

    const Services& services_;
    const Actor& actor_;
    const Document& document_;
    const Files& files_;
    const Planning& planning_;
    Stopper& stopper_;
    agents::Directory directory_;
    storage::Unit* unit_ = nullptr;
    company::Company company_;
    std::map<std::pair<ObjectKind, std::string>, Id> ids_;
    std::map<std::pair<ObjectKind, std::string>, const Target*> targets_;
    std::vector<Id> moved_agents_;
    std::vector<Id> moved_goals_;
    std::deque<work::Workspace> workspaces_;  // that the unit's answers are read into
};

}  // namespace paperclip::declaration
