#include "engine/governance/budgets.hpp"

#include "engine/base/time_zones.hpp"

#include <algorithm>
#include <cmath>

namespace paperclip::governance {

using storage::operator""_sql;

namespace {

/// What a run of an agent without a history is expected to cost when no limit of its own bounds it.
constexpr Money k_first_estimate{250'000};

struct Policy {
    bool monthly = false;
    Money limit;
    Money spent;
    Money reserved;
};

Policy policy_of(storage::Row row) {
    return {row[2].as_text() == word(BudgetWindow::month), Money{row[3].as_integer()},
            Money{row[4].as_integer()}, Money{row[5].as_integer()}};
}

void lower(std::optional<Money>& bound, Money to) {
    bound = bound ? std::min(*bound, to) : to;
}

/// Reserves in all windows that apply, of which there are as many as policies, or in none.
void add_to_windows(storage::Unit& unit, const Spender& spender, std::int64_t month, Money amount,
                    std::int64_t windows) {
    // A limit that was set while a run went on has no window yet.
    unit.add("budget.open_windows"_sql,
             {{"company_id", spender.company_id}, {"agent_id", spender.agent_id}, {"month", month}})
        .any();
    unit.add("budget.reserve"_sql, {{"company_id", spender.company_id},
                                    {"agent_id", spender.agent_id},
                                    {"month", month},
                                    {"amount", amount}})
        .expect(windows);
}

}  // namespace

double percent_of(Money spend, Money budget) {
    if (budget.micros <= 0) return 0;
    const double percent =
        100.0 * static_cast<double>(spend.micros) / static_cast<double>(budget.micros);
    return std::round(percent * 100) / 100;
}

std::int64_t Budgets::month_of(const Id& company, Time time) {
    const auto name = core_.store.text("company.timezone"_sql, {{"id", company}});
    const auto& zone = time_zone(name.value_or("UTC"));
    const auto local = zone.to_local(time);
    const date::year_month_day day{date::floor<date::days>(local)};
    return static_cast<int>(day.year()) * 100 + static_cast<unsigned>(day.month());
}

void Budgets::add_policy(storage::Unit& unit, const Actor& actor, const Id& company,
                         BudgetScope scope, const Id& scope_id, BudgetWindow window,
                         std::optional<Money> limit) {
    if (limit) {
        unit.add("budget.set_policy"_sql, {{"id", core_.ids.next()},
                                           {"company_id", company},
                                           {"scope_type", scope},
                                           {"scope_id", scope_id},
                                           {"window_kind", window},
                                           {"amount", *limit},
                                           {"now", core_.clock.now()}});
    } else {
        unit.add("budget.drop_policy"_sql,
                 {{"scope_type", scope}, {"scope_id", scope_id}, {"window_kind", window}})
            .any();
    }
    std::string details;
    JsonWriter w(details);
    w.begin_object().member("scopeType", word(scope)).member("scopeId", scope_id.view());
    w.member("windowKind", word(window)).member("amount", limit.value_or(Money{}).to_cents());
    w.end_object();
    core_.journal.activity(
        unit, actor, {company, "budget.policy_upserted", "budget_policy", scope_id.str(), details});
}

void Budgets::set_monthly_limit(storage::Unit& unit, const Actor& actor, const Id& company,
                                const std::optional<Id>& agent, Money limit) {
    std::optional<Money> amount;
    if (limit.micros > 0) amount = limit;
    add_policy(unit, actor, company, agent ? BudgetScope::agent : BudgetScope::company,
               agent.value_or(company), BudgetWindow::month, amount);
    // Room again: what the budget paused goes on; what a person paused does not.
    const Id scope = agent.value_or(company);
    const std::int64_t month = month_of(company, core_.clock.now());
    if (agent) {
        unit.add("agent.resume_within_budget"_sql,
                 {{"id", scope}, {"month", month}, {"now", core_.clock.now()}})
            .any();
    } else {
        unit.add("company.resume_within_budget"_sql,
                 {{"id", scope}, {"month", month}, {"now", core_.clock.now()}})
            .any();
    }
}

Money Budgets::spent_this_month(const Id& company, const std::optional<Id>& agent) {
    const std::int64_t month = month_of(company, core_.clock.now());
    const auto spent = core_.store.integer(
        "budget.spent_in_month"_sql, {{"company_id", company},
                                      {"month", month},
                                      {"agent_id", agent ? agent->view() : std::string_view()}});
    return {spent.value_or(0)};
}

std::unordered_map<Id, Money> Budgets::spent_by_agents(const Id& company) {
    std::unordered_map<Id, Money> spent;
    core_.store.each("budget.spent_by_agents"_sql,
                     {{"company_id", company}, {"month", month_of(company, core_.clock.now())}},
                     [&](storage::Row row) {
                         spent[Id::trusted(row[0].as_text())] = Money{row[1].as_integer()};
                     });
    return spent;
}

std::optional<Money> Budgets::estimate(const Id& agent) {
    std::vector<std::int64_t> costs;
    core_.store.each("budget.recent_costs"_sql, {{"agent_id", agent}},
                     [&](storage::Row row) { costs.push_back(row[0].as_integer()); });
    if (costs.empty()) return std::nullopt;
    std::sort(costs.begin(), costs.end());
    return Money{costs[(costs.size() * 95 + 99) / 100 - 1]};
}

Budgets::Room Budgets::add_reserve(storage::Unit& unit, const Spender& spender,
                                   Reservation& reservation) {
    reservation = {
        .amount = {}, .month = month_of(spender.company_id, core_.clock.now()), .cap = {}};
    std::int64_t windows = 0;
    std::optional<Money> unspent;
    std::optional<Money> room;
    core_.store.each("budget.applicable"_sql,
                     {{"company_id", spender.company_id},
                      {"agent_id", spender.agent_id},
                      {"month", reservation.month}},
                     [&](storage::Row row) {
                         const Policy policy = policy_of(row);
                         if (!policy.monthly) return lower(reservation.cap, policy.limit);
                         lower(unspent, policy.limit - policy.spent);
                         lower(room, policy.limit - policy.spent - policy.reserved);
                         ++windows;
                     });
    if (windows == 0) return Room::yes;
    if (unspent->micros <= 0) return Room::none;
    if (room->micros <= 0) return Room::later;
    const Money expected =
        estimate(spender.agent_id).value_or(reservation.cap.value_or(k_first_estimate));
    lower(reservation.cap, *room);
    reservation.amount = std::min(expected, *reservation.cap);
    add_to_windows(unit, spender, reservation.month, reservation.amount, windows);
    return Room::yes;
}

bool Budgets::extend(const Spender& spender, const Reservation& reservation, Money more,
                     const std::function<void(storage::Unit&)>& note) {
    std::int64_t windows = 0;
    core_.store.each("budget.applicable"_sql,
                     {{"company_id", spender.company_id},
                      {"agent_id", spender.agent_id},
                      {"month", reservation.month}},
                     [&](storage::Row row) { windows += policy_of(row).monthly ? 1 : 0; });
    storage::Unit unit = core_.store.unit();
    add_to_windows(unit, spender, reservation.month, more, windows);
    note(unit);
    try {
        core_.store.submit(unit);
        return true;
    } catch (const storage::Conflict&) {
        return false;
    }
}

void Budgets::add_release(storage::Unit& unit, const Spender& spender,
                          const Reservation& reservation) {
    if (reservation.amount.micros == 0) return;
    unit.add("budget.release"_sql, {{"company_id", spender.company_id},
                                    {"agent_id", spender.agent_id},
                                    {"reserved_month", reservation.month},
                                    {"released", reservation.amount}})
        .any();
}

void Budgets::add_charge(storage::Unit& unit, const Actor& actor, CostEvent& event) {
    event.id = core_.ids.next();
    event.created_at = core_.clock.now();
    if (event.biller.empty()) event.biller = event.provider;
    const std::int64_t month = month_of(event.company_id, event.created_at);
    unit.add_row("cost_event.insert"_sql, event);
    for (const std::string& who : {std::string(), event.agent_id.str()}) {
        unit.add_row("budget.add_spend"_sql, event, {{"agent_id", who}, {"month", month}});
    }
    unit.add("budget.open_windows"_sql,
             {{"company_id", event.company_id}, {"agent_id", event.agent_id}, {"month", month}})
        .any();
    unit.add("budget.charge"_sql, {{"company_id", event.company_id},
                                   {"agent_id", event.agent_id},
                                   {"month", month},
                                   {"cost", event.cost}})
        .any();
    // A budget that is used up stops its scope in the unit that used it up.
    unit.add("agent.pause_over_budget"_sql,
             {{"id", event.agent_id}, {"month", month}, {"now", event.created_at}})
        .any();
    unit.add("company.pause_over_budget"_sql,
             {{"id", event.company_id}, {"month", month}, {"now", event.created_at}})
        .any();
    std::string details;
    JsonWriter w(details);
    w.begin_object().member("model", event.model).member("costCents", event.cost.to_cents());
    w.member("costMicros", event.cost.micros).end_object();
    core_.journal.activity(
        unit, actor, {event.company_id, "cost.reported", "cost_event", event.id.str(), details});
}

void Budgets::add_settle(storage::Unit& unit, const Reservation& reservation, CostEvent event) {
    add_release(unit, {event.company_id, event.agent_id}, reservation);
    const bool used = event.cost.micros != 0 || event.input_tokens != 0 ||
                      event.cached_input_tokens != 0 || event.output_tokens != 0;
    if (!used) return;
    Actor agent;
    agent.type = ActorType::agent;
    agent.source = Actor::Source::engine;
    agent.agent_id = event.agent_id;
    agent.run_id = event.heartbeat_run_id;
    add_charge(unit, agent, event);
}

CostSummary Budgets::summary(const Id& company, Money budget) {
    const Money spend = spent_this_month(company, {});
    return {company, spend, budget, percent_of(spend, budget)};
}

}  // namespace paperclip::governance
