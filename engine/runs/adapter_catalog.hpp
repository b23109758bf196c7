#pragma once

#include "engine/agents/adapters.hpp"
#include "engine/pluginhost/agent_plugin.hpp"

namespace paperclip::runs {

/// The installed adapter types as the agents know them. Thread-safe.
class AdapterCatalog final : public agents::Adapters {
 public:
    explicit AdapterCatalog(const pluginhost::AdapterTypes& types) : types_(types) {}

    [[nodiscard]] bool knows(std::string_view type) const override {
        return types_.find(type) != nullptr;
    }
    [[nodiscard]] std::vector<std::string> types() const override;
    [[nodiscard]] std::vector<std::string> check_config(std::string_view type, const Json& config,
                                                        bool complete) const override;

 private:
    const pluginhost::AdapterTypes& types_;
};

}  // namespace paperclip::runs
