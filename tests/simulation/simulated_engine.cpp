#include "tests/simulation/simulated_engine.hpp"

#include "tests/support/test_store.hpp"

namespace paperclip::simulation {
namespace {

/// As many calls of the store wait at once as there are workers, or nearly.
constexpr int k_workers = 3;
constexpr double k_interruption_chance = 0.04;

}  // namespace

Actor SimulatedEngine::Door::authenticate(const http::Request& request) {
    if (request.header("Authorization").empty()) return Actor::local_board();
    return gate_.authenticate(request);
}

void SimulatedEngine::Door::authorize(const Actor& actor, http::Rule rule, http::Subject kind,
                                      const std::optional<http::Resolved>& subject,
                                      const http::Request& request) {
    gate_.authorize(actor, rule, kind, subject, request);
}

namespace {

std::unique_ptr<storage::Store> open(storage::Backend& backend, storage::Catalogue& catalogue) {
    app::Services::add_sql(catalogue);
    storage::migrate(backend, catalogue, [](int) {});
    catalogue.publish(backend);
    return std::make_unique<storage::Store>(backend, catalogue);
}

app::Machine machine_of(const Surroundings& around, SimulatedEngine& engine,
                        storage::Store& store) {
    return {.store = store,
            .clock = around.clock,
            .ids = around.ids,
            .executor = engine.executor,
            .timers = engine.timers,
            .children = around.children,
            .http = around.network,
            .adapters = around.adapters,
            .redactor = around.redactor,
            .places = around.places,
            .api_url = "http://127.0.0.1:3100",
            .token_secret = std::string(32, 's'),
            .base_environment = {},
            .run_options = {.max_live_runs = 12},
            .journal_linger = std::chrono::milliseconds(5)};
}

}  // namespace

SimulatedEngine::SimulatedEngine(const Surroundings& around)
    : around_(around),
      plugin_(around.storage, test::sqlite_config(around.places.database())),
      backend(plugin_, around.power, around.dice, around.mutations),
      catalogue_(backend.dialect()),
      store_(open(backend, catalogue_)),
      services(std::make_unique<app::Services>(machine_of(around, *this, *store_))),
      door_(std::make_unique<Door>(services->gate)),
      router_(*door_) {
    services->add_routes(router_);
    backend.interruption = [this] { interrupt(); };
    around_.network.serve(&executor,
                          [this](const http::Request& request) { return handle(request); });
}

SimulatedEngine::~SimulatedEngine() {
    around_.network.serve(nullptr, {});
    around_.children.lose_engine();
    services->scheduler.stop();
    services->run_engine.shut_down(false);
    executor.run_all();
}

bool SimulatedEngine::work() {
    return executor.run_one([this](std::size_t count) { return around_.dice.below(count); });
}

/// While one thread waits for the store another one gets its turn.
void SimulatedEngine::interrupt() {
    if (depth_ >= k_workers || !around_.dice.chance(k_interruption_chance)) return;
    ++depth_;
    work();
    --depth_;
}

}  // namespace paperclip::simulation
