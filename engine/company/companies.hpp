#pragma once

#include "engine/base/actor.hpp"
#include "engine/company/company.hpp"
#include "engine/journal/core.hpp"

#include <optional>
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
    /// Spent since the month began, of the company itself and of its agents by id.
    struct Spent {
        Money company;
        std::vector<std::pair<Id, Money>> agents;
        [[nodiscard]] Money of_agent(const Id& agent) const;
    };
    virtual Spent spent_this_month(const Id& company) = 0;
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
};

}  // namespace paperclip::company
