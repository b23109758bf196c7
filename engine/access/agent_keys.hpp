#pragma once

#include "engine/base/actor.hpp"
#include "engine/base/described.hpp"
#include "engine/journal/core.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace paperclip::storage {
const SqlModule& access_sql();
}

namespace paperclip::access {

struct AgentKey {
    Id id;
    Id company_id;
    Id agent_id;
    std::string name = "default";
    Json scope{R"({"kind":"standard"})"};
    std::string responsible_user_id;
    Time created_at;
    std::optional<Time> last_used_at;
    std::optional<Time> revoked_at;
};
BOOST_DESCRIBE_STRUCT(AgentKey, (),
                      (id, company_id, agent_id, name, scope, responsible_user_id, created_at,
                       last_used_at, revoked_at))

/// A key that was just made: the only time its token is known.
struct NewAgentKey {
    Id id;
    std::string name;
    Json scope;
    std::string responsible_user_id;
    std::string token;
    Time created_at;
};
BOOST_DESCRIBE_STRUCT(NewAgentKey, (), (id, name, scope, responsible_user_id, token, created_at))

/// The API keys of agents: `pcp_` and 48 hex digits, kept as their SHA-256. Thread-safe.
class AgentKeys {
 public:
    explicit AgentKeys(Core core) : core_(core) {}

    /// Throws Error{conflict} for an agent that is terminated or not yet approved, and
    /// Error{unprocessable} for a scope of another kind than "standard".
    NewAgentKey create(const Actor& actor, const Id& company, const Id& agent,
                       const Patch<AgentKey>& input);
    std::vector<AgentKey> list(const Id& agent);
    /// Throws Error{not_found}.
    void revoke(const Actor& actor, const Id& company, const Id& agent, const Id& key);
    /// Adds the step that revokes all keys of an agent.
    void add_revoke_all(storage::Unit& unit, const Id& agent) const;

    /// The live key with that token. Notes its use, at most once a minute.
    std::optional<AgentKey> find(std::string_view token);

 private:
    void touch(const Id& key);

    Core core_;
    std::mutex mutex_;
    std::unordered_map<Id, Time> touched_;
};

/// SHA-256 in hex.
std::string sha256_hex(std::string_view bytes);
/// `bytes` random bytes in hex.
std::string random_hex(std::size_t bytes);

}  // namespace paperclip::access

template <>
struct paperclip::Rules<paperclip::access::AgentKey> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"id", {.access = Access::engine}},
        {"company_id", {.access = Access::engine, .sent = false}},
        {"agent_id", {.access = Access::engine, .sent = false}},
        {"name", {.min = 1, .max = 120}},
        {"scope", {.format = "json-object"}},
        {"responsible_user_id", {.access = Access::engine}},
        {"created_at", {.access = Access::engine}},
        {"last_used_at", {.access = Access::engine}},
        {"revoked_at", {.access = Access::engine}},
    });
};
