#pragma once

#include "engine/base/json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace paperclip::agents {

/// The adapter types that are installed, as the agents need to know them; the plugin host
/// implements it. Thread-safe.
class Adapters {
 public:
    virtual ~Adapters() = default;
    [[nodiscard]] virtual bool knows(std::string_view type) const = 0;
    [[nodiscard]] virtual std::vector<std::string> types() const = 0;
    /// What is wrong with a configuration by the plugin's own JSON Schema, a line each; missing
    /// members count only when it must be `complete`.
    [[nodiscard]] virtual std::vector<std::string> check_config(std::string_view type,
                                                                const Json& config,
                                                                bool complete) const = 0;
};

/// An adapterConfig in the form that is stored: `env` values become `{"type":"plain","value":…}`.
Json normalize_adapter_config(const Json& config);
/// The same with every literal environment value masked, for answers.
Json redact_adapter_config(const Json& config);
/// `patch` laid over `config`, member by member; a null removes one.
Json merge_objects(const Json& config, const Json& patch);

}  // namespace paperclip::agents
