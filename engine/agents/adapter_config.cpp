#include "engine/agents/adapters.hpp"
#include "engine/base/redact.hpp"

#include <boost/json.hpp>

namespace paperclip::agents {
namespace {

boost::json::object* env_of(boost::json::value& config) {
    auto* env = config.is_object() ? config.get_object().if_contains("env") : nullptr;
    return env != nullptr && env->is_object() ? &env->get_object() : nullptr;
}

}  // namespace

Json normalize_adapter_config(const Json& config) {
    boost::json::value value = config.parse();
    auto* env = env_of(value);
    if (env == nullptr) return config;
    for (auto& [name, entry] : *env) {
        if (entry.is_string()) entry = {{"type", "plain"}, {"value", entry}};
    }
    return Json::from(value);
}

Json redact_adapter_config(const Json& config) {
    boost::json::value value = config.parse();
    auto* env = env_of(value);
    if (env == nullptr) return config;
    for (auto& [name, entry] : *env) {
        if (!entry.is_object()) continue;
        auto* plain = entry.get_object().if_contains("value");
        if (plain != nullptr) *plain = std::string_view(Redactor::k_mask);
    }
    return Json::from(value);
}

Json merge_objects(const Json& config, const Json& patch) {
    boost::json::value value = config.parse();
    const boost::json::value changes = patch.parse();
    for (const auto& [name, change] : changes.get_object()) {
        if (change.is_null()) {
            value.as_object().erase(name);
        } else {
            value.as_object()[name] = change;
        }
    }
    return Json::from(value);
}

}  // namespace paperclip::agents
