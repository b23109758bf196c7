#include "engine/agents/schedule.hpp"
#include "engine/base/time_zones.hpp"
#include "engine/company/companies.hpp"
#include "engine/declaration/planning.hpp"

#include <algorithm>
#include <set>

// What a plan says beyond the changes: the worst case, and what is not in force.

namespace paperclip::declaration {
namespace {

constexpr std::int64_t k_day = 24 * 60 * 60;
/// A cron expression is followed for a week; more often than each minute it cannot be.
constexpr int k_most_steps = 7 * 24 * 60;

std::set<std::string> hosts_of(const std::vector<EffectiveAgent>& agents) {
    std::set<std::string> hosts;
    for (const EffectiveAgent& agent : agents) {
        const auto& confinement = agent.settings.confinement;
        if (!confinement || !confinement->network) continue;
        hosts.insert(confinement->network->begin(), confinement->network->end());
    }
    return hosts;
}

std::optional<Money> sum(const std::vector<std::optional<Money>>& limits,
                         const std::optional<Money>& company) {
    std::optional<Money> total = Money{};
    for (const auto& limit : limits) {
        if (!limit) {
            total.reset();
            break;
        }
        total = *total + *limit;
    }
    if (company && (!total || *company < *total)) total = company;
    return total;
}

std::optional<Money> limit_or_none(Money amount) {
    return amount.micros > 0 ? std::optional(amount) : std::nullopt;
}

void note_if(std::vector<std::string>& notes, bool there, const char* what) {
    if (there) notes.push_back(std::string(what) + " is kept, and not yet in force");
}

template <class Has>
bool any_agent(const std::vector<EffectiveAgent>& agents, const Has& has) {
    return std::any_of(agents.begin(), agents.end(),
                       [&](const EffectiveAgent& agent) { return has(agent.settings); });
}

bool is_in_force(const Limit& limit) {
    return limit.unit == LimitUnit::unlimited ||
           (limit.unit == LimitUnit::dollars &&
            (limit.window == LimitWindow::month || limit.window == LimitWindow::run));
}

}  // namespace

std::int64_t wakes_a_day(const Json& runtime_config, const std::string& zone, Time now) {
    const auto policy = agents::parse_runtime_config(runtime_config).heartbeat;
    if (!policy.enabled) return 0;
    if (policy.interval_sec > 0) {
        std::int64_t awake = k_day;
        if (policy.quiet_hours) {
            awake -= std::chrono::duration_cast<std::chrono::seconds>(
                         agents::QuietHours::parse(*policy.quiet_hours).length())
                         .count();
        }
        return (awake + policy.interval_sec - 1) / policy.interval_sec;
    }
    if (!policy.cron) return 0;
    const auto cron = agents::Cron::parse(*policy.cron);
    const auto& place = time_zone(policy.timezone.value_or(zone));
    const Time end = now + std::chrono::hours(24 * 7);
    int count = 0;
    for (auto next = cron.next(now, place); next && *next <= end && count < k_most_steps;
         next = cron.next(*next, place)) {
        ++count;
    }
    return (count + 6) / 7;
}

void Planning::add_worst_case() {
    WorstCase& worst = plan_.worst_case;
    const Time now = services_.core.clock.now();
    const std::string zone_before = state_.company ? state_.company->timezone : "UTC";
    std::vector<std::optional<Money>> before;
    for (const auto& [id, agent] : state_.agents) {
        if (agent.status == agents::AgentStatus::terminated) continue;
        const auto limit = state_.month_limits.find(id);
        before.push_back(limit == state_.month_limits.end() ? std::nullopt
                                                            : std::optional(limit->second));
        worst.wakes_a_day_before += wakes_a_day(agent.runtime_config, zone_before, now);
    }
    std::set<Id> covered;
    std::vector<std::optional<Money>> after;
    const std::string zone_after = document_.timezone.value_or("UTC");
    for (const auto& [slug, draft] : drafts_) {
        covered.insert(draft.agent.id);
        if (draft.agent.status == agents::AgentStatus::terminated) continue;
        after.push_back(limit_or_none(draft.agent.budget_monthly));
        worst.wakes_a_day_after += wakes_a_day(draft.agent.runtime_config, zone_after, now);
    }
    for (const Gone& gone : gone_) covered.insert(gone.id);
    for (const auto& [id, agent] : state_.agents) {
        if (covered.contains(id) || agent.status == agents::AgentStatus::terminated) continue;
        const auto limit = state_.month_limits.find(id);
        after.push_back(limit == state_.month_limits.end() ? std::nullopt
                                                           : std::optional(limit->second));
        worst.wakes_a_day_after += wakes_a_day(agent.runtime_config, zone_after, now);
    }
    company::Company company = state_.company.value_or(company::Company{});
    company.budget_monthly = state_.company_limit.value_or(Money{});
    if (const Change* change = change_of(targets_.front())) {
        for (const FieldChange& field : change->fields)
            set_field(company, field.field, field.to.text);
    }
    worst.monthly_before = sum(before, state_.company_limit);
    worst.monthly_after = sum(after, limit_or_none(company.budget_monthly));

    std::set<std::string> hosts_before;
    if (state_.applied) {
        const Source source =
            read_source({{std::string(k_company_file), state_.applied->document}});
        if (source.findings.empty()) hosts_before = hosts_of(effective_agents(source.document));
    }
    for (const std::string& host : hosts_of(agents_)) {
        worst.hosts.push_back(host);
        if (!hosts_before.contains(host)) worst.new_hosts.push_back(host);
    }
}

void Planning::add_notes() {
    auto& notes = plan_.notes;
    for (const EffectiveAgent& agent : agents_) {
        const Target* target = nullptr;
        for (const Target& candidate : targets_) {
            if (candidate.kind == ObjectKind::agent && candidate.slug == agent.slug) {
                target = &candidate;
            }
        }
        if (!agent.settings.budget || !target->declared.contains("budget.month")) {
            notes.push_back("agent " + agent.slug + " declares no monthly budget: it gets " +
                            to_dollars(k_default_budget) + "/month");
        }
    }
    note_if(notes, any_agent(agents_, [](const AgentEntry& e) { return e.from.has_value(); }),
            "from: (templates; only what stands beside it counts)");
    note_if(notes,
            any_agent(agents_, [](const AgentEntry& e) { return e.confinement.has_value(); }),
            "confinement:");
    note_if(notes, any_agent(agents_, [](const AgentEntry& e) { return e.tools.has_value(); }),
            "tools:");
    note_if(notes,
            any_agent(agents_,
                      [](const AgentEntry& e) {
                          return e.budget &&
                                 std::any_of(
                                     e.budget->limits.begin(), e.budget->limits.end(),
                                     [](const Limit& limit) { return !is_in_force(limit); });
                      }),
            "a budget in tokens, runs or minutes, or by day or lifetime");
    note_if(notes,
            std::any_of(document_.budgets.begin(), document_.budgets.end(),
                        [](const BudgetEntry& entry) {
                            return entry.scope.kind != "company" || !is_in_force(entry.limit) ||
                                   entry.limit.window == LimitWindow::run || entry.warn_percent;
                        }),
            "budgets: of a team, project or goal, warnPercent, and windows other than the month");
    bool strategy = false;
    for (const auto& [slug, project] : document_.projects) {
        strategy = strategy || (project.workspace && project.workspace->strategy);
    }
    note_if(notes, strategy, "workspace.strategy");
    note_if(notes, !document_.routines.empty(), "routines:");
    note_if(notes, !document_.approvals.empty(), "approvals:");
    note_if(notes, !document_.notify.empty(), "notify:");
}

}  // namespace paperclip::declaration
