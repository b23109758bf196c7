#pragma once

#include "engine/base/actor.hpp"
#include "engine/company/company.hpp"
#include "engine/journal/core.hpp"

#include <optional>
#include <shared_mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace paperclip::storage {
const SqlModule& company_sql();
}

namespace paperclip::company {

/// What a monthly budget and the money spent are to somebody above: governance/ implements it, so
/// that the services below can set a budget and show what is spent in the same unit and answer.
class Ledger {
 public:
    virtual ~Ledger() = default;
    /// The monthly limit of a company (`agent` absent) or of one of its agents; 0 lifts it.
    virtual void set_monthly_limit(storage::Unit& unit, const Actor& actor, const Id& company,
                                   const std::optional<Id>& agent, Money limit) = 0;
    /// Spent since the month began, by a company or by one of its agents.
    virtual Money spent_this_month(const Id& company, const std::optional<Id>& agent) = 0;
    /// The same of all its agents that spent anything.
    virtual std::unordered_map<Id, Money> spent_by_agents(const Id& company) = 0;
};

/// Companies. Thread-safe.
class Companies {
 public:
    Companies(Core core, Ledger& ledger) : core_(core), ledger_(ledger) {}

    Company create(const Actor& actor, const Patch<Company>& input);
    /// Adds the steps that create `company` (its id, prefix and times are set here).
    void add_create(storage::Unit& unit, const Actor& actor, Company& company);

    /// Throws Error{not_found}.
    Company get(const Id& id);
    std::optional<Company> find(const Id& id);
    bool exists(const Id& id);
    /// Whether the company works, and if not, why. Throws Error{not_found}.
    struct Standing {
        CompanyStatus status = CompanyStatus::active;
        std::optional<std::string> pause_reason;
    };
    Standing standing(const Id& id);
    std::vector<Company> list();
    Company patch(const Actor& actor, const Id& id, const Patch<Company>& input);
    /// Adds the steps that change `company`, and changes it alike when the unit has succeeded. A
    /// budget is not set by it.
    void add_patch(storage::Unit& unit, const Actor& actor, Company& company,
                   const Patch<Company>& input);

 private:
    void fill(Company& company);
    std::string free_prefix(const std::string& name);

    Core core_;
    Ledger& ledger_;
    std::shared_mutex mutex_;
    std::unordered_set<Id> known_;  // that exist: each request asks, and no company ever goes
};

}  // namespace paperclip::company
