#include "tests/simulation/simulation.hpp"

#include "engine/base/log.hpp"
#include "tests/support/test_store.hpp"

namespace paperclip::simulation {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// More tasks than any engine needs without time going on.
constexpr std::int64_t k_most_steps_at_once = 100'000;

std::vector<pluginhost::FoundPlugin> plugins() {
    std::vector<std::string> problems;
    return pluginhost::find_plugins({PAPERCLIP_TEST_PLUGINS}, problems);
}

/// What goes wrong here goes wrong on purpose.
void silence_log() {
    static const Redactor redactor;
    static const bool done = [] {
        configure_log(LogFormat::text, LogLevel::off, redactor);
        return true;
    }();
    static_cast<void>(done);
}

}  // namespace

Time Simulation::start_time() {
    // A Monday; neither New York nor Berlin changes its clocks in the weeks after it.
    using namespace std::chrono;
    return Time{sys_days{year(2026) / January / 5}} + hours(8);
}

Simulation::Simulation(Settings settings)
    : settings_(std::move(settings)),
      dice_(settings_.seed),
      clock_(start_time()),
      ids_(clock_, settings_.seed),
      children_(clock_, outside_, power_, dice_),
      network_(clock_, outside_, power_, dice_),
      people_(dice_, [this](std::string method, std::string path, std::string body,
                            People::Answered answered) {
          if (!engine_) return;
          engine_->executor.post([this, answered = std::move(answered),
                                  request = make_request(method, path, {}, std::move(body))] {
              if (!power_.on()) return;
              const http::Response response = engine_->handle(request);
              if (power_.on()) answered(response);
          });
          if (!living_) engine_->executor.run_all();
      }) {
    silence_log();
    std::vector<std::string> problems;
    adapters_ = std::make_unique<pluginhost::AdapterTypes>(plugins(), problems);
    boot();
    auditor_ = std::make_unique<Auditor>(folder_ / "paperclip.db");
    auditor_->set_watch();
    if (!settings_.database_change.empty()) auditor_->run(settings_.database_change);
    people_.found(settings_.agents);
}

Simulation::~Simulation() {
    if (engine_) bury();
}

Surroundings Simulation::surroundings() {
    return {.clock = clock_,
            .ids = ids_,
            .dice = dice_,
            .power = power_,
            .children = children_,
            .network = network_,
            .storage = test::sqlite_library(),
            .adapters = *adapters_,
            .redactor = redactor_,
            .places = {folder_.path()},
            .mutations = settings_.mutations};
}

void Simulation::boot() {
    power_.restore();
    engine_ = std::make_unique<SimulatedEngine>(surroundings());
    ++story_.starts;
    if (auditor_) check(people_.check(*auditor_));
    if (living_ && dice_.chance(0.1)) {
        power_.fail_after(1 + static_cast<std::int64_t>(dice_.below(100)));
    }
    try {
        engine_->services->start();
    } catch (const Error&) {
        power_.cut();  // an engine that cannot start ends; another one is tried
    }
    story_.mutated = std::max(story_.mutated, engine_->backend.mutated());
    set_faults(living_);
}

void Simulation::set_faults(bool on) {
    const bool wanted = on && settings_.faults;
    if (engine_) engine_->backend.fault_chance = wanted ? 0.001 : 0;
    network_.loss_chance = wanted ? 0.01 : 0;
    network_.duplicate_chance = wanted ? 0.02 : 0;
}

void Simulation::bury() {
    power_.cut();
    story_.mutated = std::max(story_.mutated, engine_->backend.mutated());
    engine_.reset();
    if (std::exchange(reboot_, false)) {
        children_.reboot();
        ++story_.reboots;
    }
}

/// `work` at `time` and then when it says, as long as life goes on.
void Simulation::repeat(Time time, const std::function<Time()>& work) {
    outside_.at(time, [this, work] {
        if (living_) repeat(work(), work);
    });
}

void Simulation::schedule_life() {
    living_ = true;
    set_faults(true);
    const Time now = clock_.now();
    if (settings_.acts_per_day > 0) {
        repeat(now, [this] {
            people_.act();
            const double most = 2.0 * 86'400 / settings_.acts_per_day;
            return clock_.now() +
                   dice_.between(seconds(1), seconds(static_cast<std::int64_t>(most)));
        });
    }
    repeat(now + hours(6), [this] {
        audit();
        return clock_.now() + hours(6);
    });
    repeat(now + hours(23), [this] {
        set_faults(false);
        outside_.at(clock_.now() + minutes(5), [this] { audit_heartbeats_ = true; });
        return clock_.now() + hours(24);
    });
    if (!settings_.faults) return;
    const auto life = [this] {
        return dice_.between(hours(1), hours(2 * settings_.hours_between_ends));
    };
    repeat(now + life(), [this, life] {
        reboot_ = dice_.chance(0.2);
        power_.fail_after(1 + static_cast<std::int64_t>(dice_.below(400)));
        return clock_.now() + life();
    });
}

void Simulation::check(std::optional<Violation> violation) {
    if (violation && !violation_) violation_ = std::move(violation);
}

void Simulation::audit() {
    check(auditor_->check());
    for (const auto& [folder, count] : children_.executions()) {
        if (count > 1) check(Violation{"no program is executed twice", folder});
    }
    for (const auto& [request, count] : network_.sent()) {
        if (count > 1) check(Violation{"no request is sent twice", request});
    }
}

/// Every agent that the clock may wake has its next heartbeat when the plan says.
void Simulation::audit_heartbeats() {
    const auto awake = auditor_->rows(
        "select a.id, a.created_at from agent a join company c on c.id = a.company_id "
        "where a.status in ('active', 'idle', 'running', 'error') and c.status = 'active'");
    for (const auto& row : awake) {
        const auto& agents = people_.agents();
        const auto number = std::find_if(agents.begin(), agents.end(),
                                         [&](const auto& agent) { return agent.id == row[0]; }) -
                            agents.begin();
        const auto plan = HeartbeatPlan::of(static_cast<int>(number));
        const Time created{Duration{std::stoll(row[1])}};
        const auto expected = plan.between(created, clock_.now(), clock_.now() + hours(24 * 5));
        const auto due = engine_->services->scheduler.next_due(Id::trusted(row[0]));
        if (due == expected.at(0)) continue;
        check(Violation{"a heartbeat is due when the plan says",
                        "agent" + std::to_string(number) + (due ? " at another time" : " never")});
    }
}

bool Simulation::step(Time until) {
    if (engine_ && !power_.on()) {
        bury();
        const Duration down =
            dice_.chance(0.7) ? Duration(seconds(5)) : dice_.between(minutes(1), hours(3));
        outside_.at(clock_.now() + down, [this] { boot(); });
        return true;
    }
    if (engine_ && engine_->work()) {
        if (++steps_at_once_ > k_most_steps_at_once) {
            check(Violation{"time goes on", "the engine never comes to rest"});
        }
        return true;
    }
    if (engine_ && std::exchange(audit_heartbeats_, false)) {
        audit_heartbeats();
        set_faults(living_);
    }
    std::optional<Time> next = outside_.next_due();
    if (engine_) {
        const auto own = engine_->timers.next_due();
        if (own && (!next || *own < *next)) next = own;
    }
    if (!next || *next > until) {
        clock_.set(std::max(clock_.now(), until));
        return false;
    }
    if (*next > clock_.now()) {
        clock_.set(*next);
        steps_at_once_ = 0;
    }
    // One after the other, so that nothing due waits for what the other queue does at that time.
    outside_.run_due(clock_.now());
    if (engine_) engine_->timers.run_due(clock_.now());
    ++steps_at_once_;
    return true;
}

bool Simulation::live(Time until) {
    while (!violation_ && step(until)) {
    }
    return !violation_;
}

/// Nobody gives work any more, nothing goes wrong: everything must come to rest.
void Simulation::settle() {
    living_ = false;
    live(clock_.now() + hours(4));  // an engine that is down comes back
    set_faults(false);
    people_.make_room();
    for (int hour = 0; hour < 24 * 6 && !violation_; ++hour) {
        live(clock_.now() + hours(1));
        if (hour > 24) engine_->services->scheduler.stop();
        if (hour > 30 && !auditor_->check_settled()) break;
    }
    audit();
    check(auditor_->check_settled());
    check(people_.check(*auditor_));
    if (children_.running() > 0) {
        check(Violation{"no program is left behind", std::to_string(children_.running())});
    }
}

Story Simulation::run() {
    schedule_life();
    if (live(start_time() + hours(24 * settings_.days))) settle();
    return tell();
}

Story Simulation::tell() {
    const auto number = [this](const std::string& sql) {
        const auto value = auditor_->value(sql);
        return value.empty() ? std::int64_t{0} : std::stoll(value);
    };
    story_.violation = violation_;
    story_.runs = number("select count(*) from heartbeat_run");
    story_.wakes = number("select count(*) from wakeup_request");
    story_.executions = static_cast<std::int64_t>(children_.executions().size());
    story_.requests = network_.served();
    std::string all;
    for (const auto& row : auditor_->rows(
             "select id, status, coalesce(error_code, ''), cost, coalesce(finished_at, 0) from "
             "heartbeat_run order by id")) {
        for (const auto& column : row) all += column + " ";
    }
    story_.digest = std::to_string(std::hash<std::string>{}(all)) + "/" +
                    auditor_->value("select count(*) from journal");
    return std::move(story_);
}

}  // namespace paperclip::simulation
