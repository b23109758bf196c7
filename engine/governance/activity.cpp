#include "engine/governance/activity.hpp"

#include "engine/base/time.hpp"
#include "engine/governance/cost.hpp"

namespace paperclip::governance {

using storage::operator""_sql;

std::vector<ActivityRow> list_activity(storage::Store& store, const Id& company,
                                       const ActivityFilter& filter) {
    storage::Composition composition;
    std::vector<storage::Arg> args{{"company_id", company}, {"limit", filter.limit}};
    const auto add = [&](std::string_view part, const auto& value) {
        if (!value) return;
        composition.parts.push_back(part);
        args.emplace_back(part == "agent" ? "agent_id" : part, value);
    };
    add("agent", filter.agent_id);
    add("entity_type", filter.entity_type);
    add("entity_id", filter.entity_id);
    return store.all<ActivityRow>(store.compose("activity.list"_sql, composition), args);
}

namespace {

constexpr int k_days = 14;

void add_runs(DashboardDay& day, storage::Row row) {
    const auto status = row[1].as_text();
    const std::int64_t count = row[4].as_integer();
    day.total += count;
    if (status == "succeeded") {
        (row[3].as_integer() != 0 ? day.recovered : day.succeeded) += count;
    } else if (status == "failed" || status == "timed_out") {
        day.failed += count;
        if (!row[2].as_text().empty()) {
            day.failed_by_error_code[std::string(row[2].as_text())] += count;
        }
    } else {
        day.other += count;
    }
}

}  // namespace

Dashboard dashboard_of(const Core& core, const Id& company, Money budget, Money spent) {
    Dashboard dashboard;
    dashboard.company_id = company;
    core.store.each("dashboard.agents"_sql, {{"company_id", company}}, [&](storage::Row row) {
        dashboard.agents = {row[0].as_integer(), row[1].as_integer(), row[2].as_integer(),
                            row[3].as_integer()};
    });
    core.store.each("dashboard.issues"_sql, {{"company_id", company}}, [&](storage::Row row) {
        dashboard.tasks = {row[0].as_integer(), row[1].as_integer(), row[2].as_integer(),
                           row[3].as_integer()};
    });
    dashboard.costs = {spent, budget, percent_of(spent, budget)};

    const auto today = std::chrono::floor<std::chrono::days>(core.clock.now());
    const auto first = today - std::chrono::days(k_days - 1);
    for (int i = 0; i < k_days; ++i) {
        DashboardDay day;
        day.date = to_iso8601(first + std::chrono::days(i)).substr(0, 10);
        dashboard.run_activity.push_back(std::move(day));
    }
    core.store.each("dashboard.runs"_sql, {{"company_id", company}, {"since", Time{first}}},
                    [&](storage::Row row) {
                        const auto index = row[0].as_integer() - first.time_since_epoch().count();
                        if (index < 0 || index >= k_days) return;
                        add_runs(dashboard.run_activity[static_cast<std::size_t>(index)], row);
                    });
    return dashboard;
}

}  // namespace paperclip::governance
