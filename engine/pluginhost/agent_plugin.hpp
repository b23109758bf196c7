#pragma once

#include "engine/base/clock.hpp"
#include "engine/pluginhost/library.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <paperclip/draft/agent.h>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace paperclip::pluginhost {

/// What an agent backend is asked to run: pc_request with owned text.
struct AgentRequest {
    int kind = PC_START_RUN;
    std::string adapter_type;
    std::string run_id;
    std::string agent_id;
    std::string company_id;
    std::string config = "{}";
    std::string context = "{}";
    std::string prompt;
    std::string cwd;
    std::string session;
    std::string api_url;
    std::vector<std::string> environment;  ///< name, value, …
    std::uint32_t timeout_sec = 0;
    std::uint32_t grace_sec = 0;
    std::int64_t budget_micros = -1;
};

/// One input of a step: pc_input with owned text.
struct AgentInput {
    int kind = 0;
    Time now;
    std::uint64_t id = 0;
    int child = 0;
    int stream = 0;
    int code = 0;
    int signal = 0;
    std::string text;
};

// The actions, one struct each; see sdk/include/paperclip/draft/agent.h for their meaning.
struct SpawnAction {
    int child = 0;
    std::vector<std::string> argv;
    std::vector<std::string> environment;  ///< name, value, …
    std::string cwd;
    std::string input;
    bool keep_stdin = false;
};
struct StdinAction {
    int child = 0;
    std::string bytes;
    bool close = false;
};
struct SignalAction {
    int child = 0;
    int signal = 0;
};
struct HttpAction {
    std::uint64_t id = 0;
    std::string method;
    std::string url;
    std::vector<std::string> headers;  ///< name, value, …
    std::string body;
    std::uint32_t timeout_ms = 0;
};
struct TimerAction {
    std::uint64_t id = 0;
    std::uint32_t milliseconds = 0;
};
struct LogAction {
    int stream = 0;
    std::string text;
};
struct SessionAction {
    std::string json;
    std::string display_id;
};
struct UsageAction {
    std::int64_t input_tokens = 0;
    std::int64_t cached_input_tokens = 0;
    std::int64_t output_tokens = 0;
    std::int64_t cost_micros = -1;
    std::string provider;
    std::string biller;
    std::string billing_type;
    std::string model;
};
struct HandleAction {
    std::string bytes;
};
struct ResultAction {
    int error_class = PC_CLASS_OK;
    std::string error_code;
    std::string message;
    std::string summary;
    std::string data;
    std::int64_t retry_at_us = 0;
    bool clear_session = false;
};
using AgentAction = std::variant<SpawnAction, StdinAction, SignalAction, HttpAction, TimerAction,
                                 LogAction, SessionAction, UsageAction, HandleAction, ResultAction>;

/// An adapter type that an agent plugin offers.
struct AdapterType {
    std::string type;
    std::string label;
    std::string capabilities = "{}";  ///< JSON object
    std::string schema;               ///< JSON Schema of its configuration
    const Library* library = nullptr;
    const pc_agent* agent = nullptr;
};

/// The state machine of one run inside its plugin. Calls must not overlap.
class AgentRun {
 public:
    /// Throws Error{unprocessable} when the plugin refuses the request.
    AgentRun(const AdapterType& type, const AgentRequest& request);
    ~AgentRun();
    AgentRun(const AgentRun&) = delete;
    AgentRun& operator=(const AgentRun&) = delete;

    /// Gives the plugin an input; returns what it wants done. A plugin that fails, or takes longer
    /// than 50 ms, is named in the log; one that fails asks for a ResultAction of class INTERNAL.
    std::vector<AgentAction> step(const AgentInput& input);

 private:
    const AdapterType& type_;
    pc_run* run_ = nullptr;
};

/// The adapter types of all agent plugins that could be loaded. Built once at start; thread-safe.
class AdapterTypes {
 public:
    /// Loads the agent plugins among `found`. What cannot be used is left out, with a reason in
    /// `problems`.
    AdapterTypes(const std::vector<FoundPlugin>& found, std::vector<std::string>& problems);

    [[nodiscard]] const AdapterType* find(std::string_view type) const;
    [[nodiscard]] const std::map<std::string, AdapterType, std::less<>>& all() const {
        return types_;
    }

 private:
    void add(const FoundPlugin& plugin);
    std::map<std::string, AdapterType, std::less<>> types_;
};

}  // namespace paperclip::pluginhost
