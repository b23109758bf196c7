#include "engine/runs/scheduler.hpp"

#include "engine/base/log.hpp"

namespace paperclip::runs {

using pluginhost::Children;
using storage::operator""_sql;

namespace {

constexpr Duration k_retry_after = std::chrono::seconds(1);
constexpr std::int64_t k_check_timeout_ms = 60'000;
constexpr std::int64_t k_check_output_bytes = 16 << 10;

}  // namespace

/// What deciding about a heartbeat needs of an agent.
struct Scheduler::Row {
    Id agent;
    Id company;
    Json runtime_config;
    Time created_at;
    std::optional<Time> last_heartbeat_at;
    std::string timezone;

    explicit Row(storage::Row row)
        : agent(Id::trusted(row[0].as_text())),
          company(Id::trusted(row[1].as_text())),
          runtime_config(Json::trusted(std::string(row[2].as_text()))),
          created_at(Duration{row[3].as_integer()}),
          timezone(row[5].as_text()) {
        if (!row[4].is_null()) last_heartbeat_at = Time{Duration{row[4].as_integer()}};
    }
};

/// A check command at work.
struct Scheduler::Check {
    Id agent;
    bool wanted_anyway = false;
    std::filesystem::path folder;
    pluginhost::ProcessIdentity process;
    std::atomic<bool> done{false};
};

Scheduler::Scheduler(Core core, SessionWorld& world, Wakeups& wakeups, work::Issues& issues)
    : core_(core), world_(world), wakeups_(wakeups), issues_(issues) {}

void Scheduler::start() {
    const Time now = core_.clock.now();
    core_.store.each("agent.scheduled"_sql, {},
                     [&](storage::Row values) { enter(Row(values), now); });
}

std::optional<agents::HeartbeatPolicy> Scheduler::enter(const Row& row, Time after) {
    // Most agents of a large company have no heartbeat: not worth a parse.
    if (row.runtime_config.text.find("\"enabled\":true") == std::string::npos) return {};
    try {
        auto policy = agents::parse_runtime_config(row.runtime_config).heartbeat;
        const agents::Schedule schedule(policy, row.agent, row.created_at, row.timezone);
        auto due = schedule.next(after);
        const std::lock_guard lock(mutex_);
        Time seen = row.last_heartbeat_at.value_or(row.created_at);
        // A heartbeat that found nothing to do stands nowhere else.
        if (const auto fired = fired_.find(row.agent); fired != fired_.end()) {
            seen = std::max(seen, fired->second);
        }
        if (schedule.missed(seen, after)) due = after;
        if (due) set_timer(row.agent, *due);
        return policy;
    } catch (const Error& e) {
        log_warn("agent is not scheduled", {{"agent", row.agent.view()}, {"error", e.message()}});
        return {};
    }
}

void Scheduler::set_timer(const Id& agent, Time due) {
    if (stopped_) return;
    if (const auto known = due_.find(agent); known != due_.end()) {
        world_.timers.cancel(known->second);
    }
    due_[agent] = world_.timers.at(due, [this, agent] { fire(agent); });
}

void Scheduler::leave(const Id& agent) {
    const std::lock_guard lock(mutex_);
    if (const auto known = due_.find(agent); known != due_.end()) {
        world_.timers.cancel(known->second);
        due_.erase(known);
    }
}

void Scheduler::refresh(const Id& agent) {
    leave(agent);
    core_.store.each("agent.scheduled_one"_sql, {{"id", agent}},
                     [&](storage::Row row) { enter(Row(row), core_.clock.now()); });
}

void Scheduler::refresh_company(const Id& company) {
    std::vector<Id> agents;
    core_.store.each("agent.ids_of_company"_sql, {{"company_id", company}},
                     [&](storage::Row row) { agents.push_back(Id::trusted(row[0].as_text())); });
    for (const Id& agent : agents) refresh(agent);
}

void Scheduler::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const auto& [agent, handle] : due_) world_.timers.cancel(handle);
    due_.clear();
}

void Scheduler::fire(const Id& agent) {
    {
        const std::lock_guard lock(mutex_);
        due_.erase(agent);
        fired_[agent] = core_.clock.now();
    }
    world_.executor.post([this, agent] { beat_or_retry(agent); });
}

/// A store that fails for a moment costs nobody its heartbeat.
void Scheduler::beat_or_retry(const Id& agent) {
    try {
        beat(agent);
    } catch (const storage::StorageError& e) {
        log_warn("heartbeat failed, it is tried again",
                 {{"agent", agent.view()}, {"error", e.message()}});
        const std::lock_guard lock(mutex_);
        set_timer(agent, core_.clock.now() + k_retry_after);
    }
}

void Scheduler::beat(const Id& agent) {
    std::optional<Row> row;
    core_.store.each("agent.scheduled_one"_sql, {{"id", agent}},
                     [&](storage::Row values) { row.emplace(values); });
    if (!row) return;  // paused or gone since its timer was set
    // The next one first: whatever goes wrong with this one, the agent has a heartbeat.
    const auto policy = enter(*row, core_.clock.now());
    if (!policy) return;
    const bool wanted = policy->runs_when_idle() || issues_.has_work(agent);
    if (!policy->check.empty()) return run_check(*row, *policy, wanted);
    if (!wanted) return skip(agent, "heartbeat.timer.no_actionable_work");
    wake(agent, {});
}

void Scheduler::wake(const Id& agent, std::optional<std::string> check_output) {
    Wake wake;
    wake.agent_id = agent;
    wake.source = WakeSource::timer;
    wake.trigger_detail = TriggerDetail::system;
    wake.reason = "heartbeat_timer";
    wake.context.wake_reason = "heartbeat_timer";
    wake.context.wake_source = "timer";
    wake.context.check_output = std::move(check_output);
    const WakeOutcome outcome = wakeups_.wish(wake);
    if (outcome.run) return;
    if (outcome.skip_reason == "budget.blocked") return skip(agent, "budget.blocked");
    skip(agent, "agent.not_invokable");
}

void Scheduler::run_check(const Row& row, const agents::HeartbeatPolicy& policy,
                          bool wanted_anyway) {
    {
        const std::lock_guard lock(mutex_);
        if (!checking_.insert(row.agent).second) return;  // the last one is still at work
    }
    auto check = std::make_shared<Check>();
    check->agent = row.agent;
    check->wanted_anyway = wanted_anyway;
    check->folder = world_.run_folders / ("check-" + row.agent.str());
    try {
        start_check(check, row, policy);
    } catch (const std::exception& e) {
        log_warn("check command not started", {{"agent", row.agent.view()}, {"error", e.what()}});
        end_check(*check);
        skip(row.agent, "heartbeat.check.failed");
    }
}

void Scheduler::start_check(const std::shared_ptr<Check>& check, const Row& row,
                            const agents::HeartbeatPolicy& policy) {
    const std::string mark = "PAPERCLIP_CHECK=" + row.agent.str();
    if (std::filesystem::exists(check->folder)) {
        // The engine ended during it.
        world_.children.end_strays(mark);
        std::filesystem::remove_all(check->folder);
    }
    make_private_folder(check->folder);
    shim::Spec spec;
    spec.owner = row.agent.str();
    spec.argv = policy.check;
    spec.environment = world_.base_environment;
    spec.environment.push_back(mark);
    spec.environment.push_back("PAPERCLIP_AGENT_ID=" + row.agent.str());
    spec.environment.push_back("PAPERCLIP_COMPANY_ID=" + row.company.str());
    spec.cwd = check->folder.string();
    spec.timeout_ms = k_check_timeout_ms;
    spec.grace_ms = 1'000;
    spec.max_output_bytes = 1 << 20;
    check->process = world_.children.prepare(check->folder, spec);
    world_.children.go(check->folder);
    world_.children.watch(check->folder, check->process, [this, check] {
        const auto state = world_.children.state(check->folder, check->process);
        if (state == Children::State::running || check->done.exchange(true)) return;
        world_.executor.post([this, check] { finish_check(check); });
    });
}

void Scheduler::finish_check(const std::shared_ptr<Check>& check) {
    world_.children.unwatch(check->folder);
    std::string output;
    world_.children.read_output(check->folder, 0, k_check_output_bytes, [&](const auto& piece) {
        if (piece.stream == PC_STREAM_OUT) output += piece.bytes;
    });
    const auto exit = world_.children.exit(check->folder);
    end_check(*check);
    const int code = exit && exit->start_error == 0 ? exit->code : -1;
    if (code == 1) return wake(check->agent, world_.redactor.scrub(output));
    if (code != 0) {
        log_warn("check command failed; it should end with 0 (nothing new) or 1 (wake)",
                 {{"agent", check->agent.view()}, {"status", code}});
    }
    if (check->wanted_anyway) return wake(check->agent, {});
    skip(check->agent, code == 0 ? "heartbeat.check.nothing_new" : "heartbeat.check.failed");
}

void Scheduler::end_check(const Check& check) {
    std::error_code ignored;
    std::filesystem::remove_all(check.folder, ignored);
    const std::lock_guard lock(mutex_);
    checking_.erase(check.agent);
}

void Scheduler::skip(const Id& agent, std::string_view reason) {
    const std::lock_guard lock(mutex_);
    Skips& skips = skips_[agent];
    ++skips.count;
    skips.last.push_back({core_.clock.now(), reason});
    if (skips.last.size() > k_kept_skips) skips.last.pop_front();
}

Scheduler::Skips Scheduler::skips(const Id& agent) const {
    const std::lock_guard lock(mutex_);
    const auto found = skips_.find(agent);
    return found == skips_.end() ? Skips{} : found->second;
}

std::optional<Time> Scheduler::next_due(const Id& agent) const {
    const std::lock_guard lock(mutex_);
    const auto found = due_.find(agent);
    if (found == due_.end()) return std::nullopt;
    return found->second.first;
}

}  // namespace paperclip::runs
