#pragma once

#include "engine/app/services.hpp"
#include "engine/pluginhost/storage_plugin.hpp"
#include "tests/simulation/fake_children.hpp"
#include "tests/simulation/fake_network.hpp"
#include "tests/simulation/faulty_backend.hpp"

#include <memory>

namespace paperclip::simulation {

/// What outlives an engine: the machine it runs on, and the one clock.
struct Surroundings {
    ManualClock& clock;
    Ids& ids;
    Dice& dice;
    Power& power;
    FakeChildren& children;
    FakeNetwork& network;
    const pluginhost::Library& storage;
    const pluginhost::AdapterTypes& adapters;
    Redactor& redactor;
    app::Places places;
    const std::vector<Mutation>& mutations;
};

/// The production engine from its start to its end, without threads of its own: its store is open,
/// its tasks and timers run when the simulation says so.
class SimulatedEngine {
 public:
    explicit SimulatedEngine(const Surroundings& around);
    /// The power must be off: what the engine still has in hand comes to nothing.
    ~SimulatedEngine();

    /// Runs one waiting task, which one is chance; false when there is none.
    bool work();
    /// People (no credential) and agents (the run's token) alike.
    http::Response handle(const http::Request& request) { return router_.handle(request); }

    ManualExecutor executor;
    TimerQueue timers;

 private:
    Surroundings around_;
    pluginhost::StoragePlugin plugin_;

 public:
    FaultyBackend backend;

 private:
    storage::Catalogue catalogue_;
    std::unique_ptr<storage::Store> store_;

 public:
    std::unique_ptr<app::Services> services;

 private:
    /// As the engine's own gate, but that people need no loopback connection.
    class Door final : public http::Gate {
     public:
        explicit Door(access::Gate& gate) : gate_(gate) {}
        Actor authenticate(const http::Request& request) override;
        void authorize(const Actor& actor, http::Rule rule, http::Subject kind,
                       const std::optional<http::Resolved>& subject,
                       const http::Request& request) override;

     private:
        access::Gate& gate_;
    };
    void interrupt();

    std::unique_ptr<Door> door_;
    http::Router router_;
    int depth_ = 0;  ///< of tasks that were interrupted
};

}  // namespace paperclip::simulation
