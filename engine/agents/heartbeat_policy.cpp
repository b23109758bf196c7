#include "engine/agents/heartbeat_policy.hpp"

#include "engine/base/error.hpp"

#include <algorithm>

#include <boost/json.hpp>

namespace paperclip::agents {
namespace {

/// Gives a setting the name that we read, unless it is there under that name already.
void rename(boost::json::object& object, std::string_view alias, std::string_view name) {
    if (!object.contains(alias) || object.contains(name)) return;
    object[name] = object[alias];
}

}  // namespace

RuntimeConfig parse_runtime_config(const Json& json) {
    boost::json::value value = json.parse();
    if (auto* heartbeat = value.is_object() ? value.get_object().if_contains("heartbeat") : nullptr;
        heartbeat != nullptr && heartbeat->is_object()) {
        auto& object = heartbeat->get_object();
        for (const auto* alias : {"wakeOnAssignment", "wakeOnOnDemand", "wakeOnAutomation"}) {
            rename(object, alias, "wakeOnDemand");
        }
        for (const auto* alias : {"requireActionableTimerWork", "issueOnlyTimer"}) {
            rename(object, alias, "skipTimerWhenNoActionableWork");
        }
    }
    auto config = read_value<RuntimeConfig>(JsonNode(value));
    HeartbeatPolicy& heartbeat = config.heartbeat;
    heartbeat.max_concurrent_runs = std::clamp<std::int64_t>(heartbeat.max_concurrent_runs, 1, 50);
    if (heartbeat.cron && heartbeat.interval_sec > 0) {
        throw Error(ErrorKind::unprocessable,
                    "runtimeConfig.heartbeat: expected one of intervalSec and cron, found both");
    }
    return config;
}

Json with_runtime_defaults(const Json& json) {
    boost::json::value value = json.parse();
    auto& heartbeat = value.as_object()["heartbeat"];
    if (heartbeat.is_null()) heartbeat.emplace_object();
    if (!heartbeat.is_object()) return json;
    auto& object = heartbeat.get_object();
    if (!object.contains("enabled")) object["enabled"] = false;
    if (!object.contains("maxConcurrentRuns")) object["maxConcurrentRuns"] = 20;
    return Json::from(value);
}

}  // namespace paperclip::agents
