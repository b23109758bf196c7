#pragma once

#include "engine/base/redact.hpp"
#include "tests/simulation/heartbeat_plan.hpp"
#include "tests/simulation/people.hpp"
#include "tests/simulation/simulated_engine.hpp"
#include "tests/support/temp_folder.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace paperclip::simulation {

struct Settings {
    std::uint64_t seed = 1;
    int agents = 50;
    int days = 30;
    bool faults = true;           ///< storage errors, lost messages, the engine killed, reboots
    double acts_per_day = 30;     ///< of people
    int hours_between_ends = 32;  ///< of the engine, on average
    std::vector<Mutation> mutations;
    std::string database_change;  ///< SQL, once, on the new database
};

/// What a simulation came to.
struct Story {
    std::optional<Violation> violation;
    std::int64_t runs = 0;
    std::int64_t wakes = 0;
    std::int64_t executions = 0;
    std::int64_t requests = 0;
    std::int64_t starts = 0;  ///< of the engine
    std::int64_t reboots = 0;
    std::int64_t skips = 0;  ///< heartbeats with nothing to do, of the last engine
    std::size_t mutated = 0;
    std::string digest;  ///< equal for equal stories
};

/// A company for some weeks, on the production scheduler, services, step() and SQLite; only clock,
/// spawner and network are replaced. One seed decides everything, so that a story that went wrong
/// can be told again. For one thread.
class Simulation {
 public:
    explicit Simulation(Settings settings);
    ~Simulation();

    /// Tells the story until its end or the first broken promise.
    Story run();

    /// Lets time go by until `until`; false when a promise broke.
    bool live(Time until);
    [[nodiscard]] SimulatedEngine& engine() { return *engine_; }
    [[nodiscard]] const People& people() const { return people_; }
    [[nodiscard]] Time now() const { return clock_.now(); }
    [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }
    static Time start_time();

 private:
    void boot();
    void bury();
    bool step(Time until);
    void schedule_life();
    void repeat(Time time, const std::function<Time()>& work);
    void audit();
    void audit_heartbeats();
    void settle();
    void set_faults(bool on);
    void check(std::optional<Violation> violation);
    Surroundings surroundings();
    Story tell();

    Settings settings_;
    test::TempFolder folder_;
    Dice dice_;
    ManualClock clock_;
    Ids ids_;
    Power power_;
    TimerQueue outside_;
    FakeChildren children_;
    FakeNetwork network_;
    Redactor redactor_;
    std::unique_ptr<pluginhost::AdapterTypes> adapters_;
    People people_;
    std::unique_ptr<Auditor> auditor_;
    std::unique_ptr<SimulatedEngine> engine_;
    std::optional<Violation> violation_;
    bool living_ = false;  ///< people act, things go wrong
    bool reboot_ = false;  ///< the machine goes with the engine
    bool audit_heartbeats_ = false;
    std::int64_t steps_at_once_ = 0;
    Story story_;
};

}  // namespace paperclip::simulation
