#pragma once

#include "engine/storage/backend.hpp"
#include "tests/simulation/dice.hpp"
#include "tests/simulation/power.hpp"

#include <functional>
#include <string>
#include <vector>

namespace paperclip::simulation {

/// A guard taken out of a statement: `from` becomes `to` in the text of every statement of that
/// name.
struct Mutation {
    std::string statement;
    std::string from;
    std::string to;
};

/// The store's backend with what can go wrong around it: calls that fail, the end of the engine at
/// any call, other threads that get in between. Calls come from the simulation's one thread.
class FaultyBackend final : public storage::Backend {
 public:
    FaultyBackend(storage::Backend& inner, Power& power, Dice& dice,
                  const std::vector<Mutation>& mutations)
        : inner_(inner), power_(power), dice_(dice), mutations_(mutations) {}

    double fault_chance = 0;             ///< that a call fails without having done anything
    std::function<void()> interruption;  ///< called before each call, when something else may run

    [[nodiscard]] std::int64_t submitted() const { return submitted_; }
    /// How many statements were changed by the mutations.
    [[nodiscard]] std::size_t mutated() const { return mutated_; }

    [[nodiscard]] std::string_view dialect() const override { return inner_.dialect(); }
    storage::Failure catalogue(std::span<const storage::StatementText> statements) override;
    void submit(storage::UnitRequest& unit) override;
    storage::Failure query(const storage::QueryRequest& query) override;
    storage::Failure exec_script(std::string_view script) override {
        return inner_.exec_script(script);
    }
    storage::Failure checkpoint() override { return inner_.checkpoint(); }
    storage::Failure health(std::string& out) override { return inner_.health(out); }
    storage::Failure backup(const std::filesystem::path& path) override {
        return inner_.backup(path);
    }

 private:
    /// What keeps the call from reaching the store.
    storage::Failure obstacle();

    storage::Backend& inner_;
    Power& power_;
    Dice& dice_;
    const std::vector<Mutation>& mutations_;
    std::int64_t submitted_ = 0;
    std::size_t mutated_ = 0;
};

}  // namespace paperclip::simulation
