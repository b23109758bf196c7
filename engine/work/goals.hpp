#pragma once

#include "engine/agents/agents.hpp"
#include "engine/work/goal.hpp"

#include <vector>

namespace paperclip::storage {
const SqlModule& work_sql();
}

namespace paperclip::work {

/// The tree of goals. Thread-safe.
class Goals {
 public:
    explicit Goals(Core core) : core_(core) {}

    Goal create(const Actor& actor, const Id& company, const Patch<Goal>& input);
    /// Adds the steps that create `goal` (its id and times are set here).
    void add_create(storage::Unit& unit, const Actor& actor, Goal& goal);
    Goal get(const Id& id);
    std::vector<Goal> list(const Id& company);
    Goal patch(const Actor& actor, const Id& id, const Patch<Goal>& input);
    /// Adds the steps that change `goal`; whoever calls has checked what it refers to.
    void add_patch(storage::Unit& unit, const Actor& actor, const Goal& goal, Patch<Goal> change);
    /// After the last step that moves goals: the unit fails when `id` came to be below itself.
    static void add_tree_guard(storage::Unit& unit, const Id& id);
    /// Throws Error{conflict} while sub-goals or issues belong to it.
    Goal remove(const Actor& actor, const Id& id);
    /// The goal and those above it.
    std::vector<Goal> chain(const Id& id);

 private:
    void check(const Goal& goal);
    void log_activity(storage::Unit& unit, const Actor& actor, std::string_view action,
                      const Goal& goal, const std::string& details);

    Core core_;
};

/// Throws Error{not_found} unless `agent` is an agent of `company`.
void must_be_agent_of(storage::Store& store, const Id& company, const std::optional<Id>& agent,
                      const char* message = "Agent not found");

}  // namespace paperclip::work
