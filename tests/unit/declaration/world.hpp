#pragma once

#include "engine/declaration/declarations.hpp"
#include "tests/support/test_store.hpp"

#include <memory>
#include <string>
#include <vector>

namespace paperclip::test {

/// Three adapter types; process wants a command, and no variable FORBIDDEN.
class FakeAdapters final : public agents::Adapters {
 public:
    [[nodiscard]] bool knows(std::string_view type) const override;
    [[nodiscard]] std::vector<std::string> types() const override {
        return {"claude_local", "codex_local", "process"};
    }
    [[nodiscard]] std::vector<std::string> check_config(std::string_view type, const Json& config,
                                                        bool complete) const override;
};

/// An engine without runs: a store, the services, and declarations over them.
class World {
 public:
    World();
    ~World();

    declaration::Declarations& declarations();
    declaration::Services services();
    ManualClock& clock();
    [[nodiscard]] std::filesystem::path instructions() const;
    agents::Agent agent(const std::string& key);
    /// Applies as the board.
    declaration::ApplyResult apply(const declaration::Files& files);
    [[nodiscard]] const std::vector<std::string>& stopped() const;

 private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

/// A declaration of one file.
declaration::Files company_file(std::string text);
/// The company of the vocabulary's design, with adapters that FakeAdapters knows.
declaration::Files acme();
std::string replaced(std::string text, const std::string& from, const std::string& to);

}  // namespace paperclip::test
