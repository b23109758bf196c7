#pragma once

#include "engine/declaration/fields.hpp"
#include "engine/declaration/plan.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace paperclip::declaration {

/// An object of the declaration, what it is compared with, and what follows.
struct Target {
    ObjectKind kind = ObjectKind::agent;
    std::string slug;
    std::optional<Id> id;               ///< of the live object
    Fields declared;                    ///< kept as what was applied
    std::optional<std::size_t> change;  ///< index into Plan::changes
};

/// One comparison of a declaration with the company as it is: everything that a plan shows and that
/// apply needs. For one operation on one thread.
class Planning {
 public:
    /// The document must be free of errors. Throws Error{unprocessable} for what cannot be applied
    /// to this company.
    Planning(const Services& services, const Document& document, const Files& files,
             const std::optional<Id>& company);

    [[nodiscard]] const Plan& plan() const { return plan_; }
    [[nodiscard]] const State& state() const { return state_; }
    [[nodiscard]] const std::vector<Target>& targets() const { return targets_; }
    [[nodiscard]] const std::vector<EffectiveAgent>& agents() const { return agents_; }
    [[nodiscard]] const Change* change_of(const Target& target) const {
        return target.change ? &plan_.changes[*target.change] : nullptr;
    }
    /// Keys that are declared no longer, with what they stood for.
    struct Gone {
        ObjectKind kind;
        std::string slug;
        Id id;
        bool remove = false;
    };
    [[nodiscard]] const std::vector<Gone>& gone() const { return gone_; }
    /// The agent of the declaration as apply leaves it, but for references.
    [[nodiscard]] const AgentDraft& draft(const std::string& slug) const {
        return drafts_.at(slug);
    }

 private:
    void compare_company();
    void compare_agents();
    void compare_goals();
    void compare_projects();
    void compare_issues();
    void find_gone();
    void check_managers();
    void check_names();
    void add_unmanaged();
    void add_notes();
    void add_worst_case();
    void draft_agent(const Target& target, const EffectiveAgent& agent);
    /// The live object that a key stands for, after renames and adoptions.
    struct Match {
        std::optional<Id> id;
        Fields applied;
        std::optional<std::string> renamed_from;
        bool adopted = false;
    };
    Match match(ObjectKind kind, const std::string& slug,
                const std::optional<std::string>& renamed_from);
    void compare(Target target, const Match& match, const Fields* live);

    const Services& services_;
    const Document& document_;
    const Files& files_;
    State state_;
    std::vector<EffectiveAgent> agents_;
    Plan plan_;
    std::vector<Target> targets_;
    std::vector<Gone> gone_;
    std::map<std::string, AgentDraft> drafts_;
};

/// How often an agent with that runtimeConfig wakes by itself a day, at most.
std::int64_t wakes_a_day(const Json& runtime_config, const std::string& zone, Time now);

}  // namespace paperclip::declaration
