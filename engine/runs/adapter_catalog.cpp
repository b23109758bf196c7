#include "engine/runs/adapter_catalog.hpp"

#include "engine/pluginhost/json_schema.hpp"

namespace paperclip::runs {

std::vector<std::string> AdapterCatalog::types() const {
    std::vector<std::string> types;
    for (const auto& [name, type] : types_.all()) types.push_back(name);
    return types;
}

std::vector<std::string> AdapterCatalog::check_config(std::string_view type, const Json& config,
                                                      bool complete) const {
    const auto* known = types_.find(type);
    if (known == nullptr) return {"adapter type " + std::string(type) + " is not installed"};
    return pluginhost::check_json(known->schema, config.text, complete);
}

}  // namespace paperclip::runs
