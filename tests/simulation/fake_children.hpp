#pragma once

#include "engine/base/timer_queue.hpp"
#include "engine/pluginhost/children.hpp"
#include "tests/simulation/dice.hpp"
#include "tests/simulation/power.hpp"

#include <map>
#include <string>

namespace paperclip::simulation {

/// Programs of runs that live in memory and by the simulation's clock. They outlive the engine, as
/// those under a shim do, and print and end when chance says so. For one thread.
class FakeChildren final : public pluginhost::Children {
 public:
    /// `outside`: the events of the world around the engine.
    FakeChildren(const Clock& clock, TimerQueue& outside, Power& power, Dice& dice)
        : clock_(clock), outside_(outside), power_(power), dice_(dice) {}

    pluginhost::ProcessIdentity prepare(const std::filesystem::path& folder,
                                        const shim::Spec& spec) override;
    void go(const std::filesystem::path& folder) override;
    void abandon(const std::filesystem::path& folder) override;
    State state(const std::filesystem::path& folder,
                const pluginhost::ProcessIdentity& identity) override;
    void settle(const std::filesystem::path& folder,
                const pluginhost::ProcessIdentity& identity) override;
    std::optional<shim::Exit> exit(const std::filesystem::path& folder) override;
    void order(const std::filesystem::path& folder, const pluginhost::ProcessIdentity& identity,
               shim::Order order) override;
    int end_strays(std::string_view) override { return 0; }  ///< a killed one leaves nothing here
    void watch(const std::filesystem::path& folder, const pluginhost::ProcessIdentity& identity,
               std::function<void()> changed) override;
    void unwatch(const std::filesystem::path& folder) override;
    std::int64_t read_output(const std::filesystem::path& folder, std::int64_t offset,
                             std::int64_t limit,
                             const std::function<void(const Output&)>& visit) override;
    void write_input(const std::filesystem::path& folder, std::string_view bytes,
                     bool end) override;
    std::int64_t input_size(const std::filesystem::path& folder) override;

    /// The engine is gone: who had not got its "go" goes too, and nobody watches any more.
    void lose_engine();
    /// The machine was restarted: everything that ran is lost.
    void reboot();

    [[nodiscard]] std::size_t running() const;
    /// How often a program was executed, by its folder.
    [[nodiscard]] const std::map<std::string, int>& executions() const { return executions_; }

 private:
    struct Child {
        pluginhost::ProcessIdentity identity;
        shim::Spec spec;
        State state = State::never_started;
        bool prepared = false;
        shim::Exit exit;
        std::string output;  ///< of standard output, one piece at each time
        Time printed_at;
        std::string input;
        std::function<void()> changed;
    };
    void print(const std::string& folder);
    void end(const std::string& folder, int code, int signal, shim::StopReason reason);
    void notify(const std::string& folder);
    Child* find(const std::filesystem::path& folder);

    const Clock& clock_;
    TimerQueue& outside_;
    Power& power_;
    Dice& dice_;
    std::map<std::string, Child> children_;
    std::map<std::string, int> executions_;
    std::int64_t next_pid_ = 1000;
    int boot_ = 1;
};

}  // namespace paperclip::simulation
