#include "tests/simulation/auditor.hpp"

#include <sqlite3.h>
#include <stdexcept>

namespace paperclip::simulation {
namespace {

/// Two promises are about steps, not about states, so they are watched where the step is made.
constexpr const char* k_watch = R"(
create table simulation_violation (promise text not null, detail text not null);

create trigger simulation_lease after update of lease_run_id on issue
when old.lease_run_id is not null and new.lease_run_id is not null
     and old.lease_run_id <> new.lease_run_id
     and exists (select 1 from heartbeat_run where id = old.lease_run_id and status = 'running')
begin
    insert into simulation_violation values ('one live run has the lease of an issue',
        'issue ' || new.id || ' went from run ' || old.lease_run_id || ' to run ' || new.lease_run_id);
end;

create trigger simulation_budget after update of reserved on budget_window
when new.reserved > old.reserved
     and new.spent + new.reserved > (select amount from budget_policy where id = new.policy_id)
begin
    insert into simulation_violation values ('nothing is reserved beyond a budget',
        'policy ' || new.policy_id || ': ' || new.spent || ' spent and ' || new.reserved || ' reserved');
end;

create trigger simulation_admission after update of status on heartbeat_run
when new.status = 'running' and old.status <> 'queued'
begin
    insert into simulation_violation values ('a run begins from the queue', 'run ' || new.id);
end;

create trigger simulation_end after update of status on heartbeat_run
when old.status not in ('queued', 'running', 'scheduled_retry') and new.status <> old.status
begin
    insert into simulation_violation values ('a run ends once',
        'run ' || new.id || ' went from ' || old.status || ' to ' || new.status);
end;
)";

int add_row(void* rows, int count, char** values, char**) {
    auto& row = static_cast<std::vector<std::vector<std::string>>*>(rows)->emplace_back();
    for (int i = 0; i < count; ++i) row.emplace_back(values[i] != nullptr ? values[i] : "");
    return 0;
}

}  // namespace

Auditor::Auditor(const std::filesystem::path& database) {
    if (sqlite3_open(database.c_str(), &database_) != SQLITE_OK) {
        throw std::runtime_error("cannot open " + database.string());
    }
    sqlite3_busy_timeout(database_, 10'000);
}

Auditor::~Auditor() {
    sqlite3_close(database_);
}

void Auditor::set_watch() {
    run(k_watch);
}

void Auditor::run(const std::string& sql) {
    rows(sql);
}

std::vector<std::vector<std::string>> Auditor::rows(const std::string& sql) {
    std::vector<std::vector<std::string>> rows;
    char* message = nullptr;
    if (sqlite3_exec(database_, sql.c_str(), add_row, &rows, &message) != SQLITE_OK) {
        const std::string why = message != nullptr ? message : "?";
        sqlite3_free(message);
        throw std::runtime_error(why + " in " + sql);
    }
    return rows;
}

std::string Auditor::value(const std::string& sql) {
    const auto found = rows(sql);
    return found.empty() ? "" : found.front().front();
}

const std::vector<Auditor::Promise>& Auditor::always() {
    static const std::vector<Promise> promises{
        {"watched", "select promise, detail from simulation_violation"},
        {"a lease belongs to a live run",
         "select i.id, i.lease_run_id from issue i where i.lease_run_id is not null and not exists "
         "(select 1 from heartbeat_run r where r.id = i.lease_run_id and r.status = 'running')"},
        {"live runs are counted",
         "select a.id, a.live_runs from agent a where a.live_runs <> (select count(*) from "
         "heartbeat_run r where r.agent_id = a.id and r.status = 'running') union all "
         "select c.id, c.live_runs from company c where c.live_runs <> (select count(*) from "
         "heartbeat_run r where r.company_id = c.id and r.status = 'running')"},
        {"what is reserved is what live runs hold",
         "select p.id, w.window_start, w.reserved from budget_window w join budget_policy p "
         "on p.id = w.policy_id where w.reserved <> (select coalesce(sum(r.reserved), 0) from "
         "heartbeat_run r where r.status = 'running' and r.reserved_month = w.window_start and "
         "(p.scope_id = r.agent_id or p.scope_id = r.company_id))"},
        {"what is spent is what was charged",
         "select s.agent_id, s.month, s.spent from spend s where s.spent <> (select "
         "coalesce(sum(e.cost), 0) from cost_event e where e.company_id = s.company_id and "
         "(s.agent_id = '' or s.agent_id = e.agent_id) and "
         "strftime('%Y%m', e.created_at / 1000000, 'unixepoch') = cast(s.month as text))"},
        // Admission keeps spent + reserved within the limit; what a run cost beyond what it held
        // is the one thing that may come on top.
        {"spending stays within the budget but for what was reported after the fact",
         "select p.id, w.window_start, w.spent, p.amount from budget_window w join budget_policy p "
         "on p.id = w.policy_id where w.spent > p.amount + (select coalesce(sum(max(0, r.cost - "
         "r.reserved)), 0) from heartbeat_run r where r.reserved_month = w.window_start and "
         "(p.scope_id = r.agent_id or p.scope_id = r.company_id))"},
        // No step of the simulation's scripts uses more than 40 cents.
        {"a run costs at most one report more than its cap",
         "select id, cost, cost_cap from heartbeat_run where cost_cap is not null and cost > "
         "cost_cap + 400000"},
        {"a cost is charged once for a run",
         "select heartbeat_run_id, count(*) from cost_event group by 1 having count(*) > 1"},
        {"an event wakes an agent once",
         "select company_id, cause_seq, agent_id, count(*) from wakeup_request where cause_seq is "
         "not null group by 1, 2, 3 having count(*) > 1"},
        {"nobody is woken by its own act",
         "select w.id, w.agent_id, w.cause_seq from wakeup_request w join journal j on "
         "j.company_id = w.company_id and j.seq = w.cause_seq where j.agent_id = w.agent_id"},
        {"what was turned away is wished again once, and only that",
         "select w.id, count(*), max(w.status), max(w.reason) from wakeup_request w join "
         "wakeup_request r on r.repeat_of = w.id "
         "group by w.id having count(*) > 1 or max(w.status) not in ('skipped', 'cancelled')"},
        // A cause is a record, the clock, a person, a run that is repeated, an earlier wish, or one
        // that was turned away.
        {"a wake has a cause",
         "select w.id, w.source, w.reason from wakeup_request w where w.cause_seq is null and "
         "w.repeat_of is null and "
         "w.source not in ('timer', 'on_demand') and w.reason not in ('process_lost_retry', "
         "'transient_failure_retry') and not exists (select 1 from wakeup_request e where "
         "e.run_id = w.run_id and e.id <> w.id and coalesce(e.cause_seq, e.repeat_of) is not "
         "null)"},
        {"a run was wished for",
         "select r.id from heartbeat_run r where not exists (select 1 from wakeup_request w where "
         "w.id = r.wakeup_request_id and w.run_id = r.id)"},
        {"the journal's numbers have no gaps",
         "select company_id, min(seq), max(seq), count(seq) from journal where seq is not null "
         "group by 1 having min(seq) <> 1 or max(seq) <> count(seq)"},
    };
    return promises;
}

const std::vector<Auditor::Promise>& Auditor::at_rest() {
    static const std::vector<Promise> promises{
        {"no run stays open",
         "select r.id, r.agent_id, r.status from heartbeat_run r join agent a on a.id = r.agent_id "
         "where r.status in ('queued', 'running', 'scheduled_retry') and a.status <> 'paused'"},
        {"no issue stays locked", "select id from issue where lease_run_id is not null"},
        {"nothing stays reserved", "select policy_id from budget_window where reserved <> 0"},
        {"no wish waits for a run that is over",
         "select id, issue_id, agent_id from wakeup_request where status = "
         "'deferred_issue_execution'"},
        {"no wish stays open",
         "select w.id, w.status from wakeup_request w join heartbeat_run r on r.id = w.run_id "
         "where w.status in ('queued', 'claimed') and r.finished_at is not null"},
        {"every record is numbered", "select id from journal where seq is null"},
    };
    return promises;
}

std::optional<Violation> Auditor::check(const std::vector<Promise>& promises) {
    for (const auto& promise : promises) {
        const auto found = rows(promise.broken_by);
        if (found.empty()) continue;
        if (promise.name == std::string_view("watched")) {
            return Violation{found.front()[0], found.front()[1]};
        }
        std::string detail;
        for (const auto& column : found.front()) detail += (detail.empty() ? "" : " ") + column;
        return Violation{promise.name, detail + " (" + std::to_string(found.size()) + " rows)"};
    }
    return std::nullopt;
}

std::optional<Violation> Auditor::check() {
    return check(always());
}

std::optional<Violation> Auditor::check_settled() {
    if (auto violation = check(always())) return violation;
    return check(at_rest());
}

}  // namespace paperclip::simulation
