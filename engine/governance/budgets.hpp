#pragma once

#include "engine/agents/agents.hpp"
#include "engine/governance/cost.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::storage {
const SqlModule& governance_sql();
}

namespace paperclip::governance {

enum class BudgetScope { company, agent };
BOOST_DESCRIBE_ENUM(BudgetScope, company, agent)
enum class BudgetWindow { run, month };
BOOST_DESCRIBE_ENUM(BudgetWindow, run, month)

/// Who is about to spend.
struct Spender {
    Id company_id;
    Id agent_id;
};

/// What a run was admitted with. Kept in the run's row; settle() gives it back.
struct Reservation {
    Money amount;              ///< reserved in every window that applies; 0 when none does
    std::int64_t month = 0;    ///< of which month
    std::optional<Money> cap;  ///< the most that this run may cost, if anything bounds it
};

/// The arithmetic of budgets: no work is admitted or continued beyond what is settled and reserved.
/// Acting on it (stopping runs) is the business of runs/. Thread-safe.
class Budgets final : public company::Ledger {
 public:
    explicit Budgets(Core core) : core_(core) {}

    void set_monthly_limit(storage::Unit& unit, const Actor& actor, const Id& company,
                           const std::optional<Id>& agent, Money limit) override;
    Money spent_this_month(const Id& company, const std::optional<Id>& agent) override;
    std::unordered_map<Id, Money> spent_by_agents(const Id& company) override;
    /// Sets or, with nothing, lifts a limit.
    void add_policy(storage::Unit& unit, const Actor& actor, const Id& company, BudgetScope scope,
                    const Id& scope_id, BudgetWindow window, std::optional<Money> limit);

    /// What the budgets have left for a run.
    enum class Room {
        yes,
        later,  ///< what is left is reserved for runs at work, which may not need it
        none,   ///< it is spent
    };
    /// With room, adds the steps that reserve for a run and fills `reservation` in; the caller
    /// submits soon, and asks again when the unit conflicts.
    Room add_reserve(storage::Unit& unit, const Spender& spender, Reservation& reservation);
    /// Reserves `more` for a run that goes on, with the steps that `note` adds. False when there is
    /// no room.
    bool extend(const Spender& spender, const Reservation& reservation, Money more,
                const std::function<void(storage::Unit&)>& note);
    /// Adds the steps that charge what was spent and give back what was reserved.
    void add_settle(storage::Unit& unit, const Reservation& reservation, CostEvent event);
    /// Adds the steps that give back a reservation of a run that never began.
    void add_release(storage::Unit& unit, const Spender& spender, const Reservation& reservation);
    /// Adds the steps that charge a cost event; its id and times are set here.
    void add_charge(storage::Unit& unit, const Actor& actor, CostEvent& event);

    CostSummary summary(const Id& company, Money budget);

 private:
    /// yyyymm in the company's time zone.
    std::int64_t month_of(const Id& company, Time time);
    /// What a run of the agent will cost, by those before it.
    std::optional<Money> estimate(const Id& agent);

    Core core_;
};

}  // namespace paperclip::governance
