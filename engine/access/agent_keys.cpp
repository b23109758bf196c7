#include "engine/access/agent_keys.hpp"

#include "engine/access/setup.hpp"
#include "engine/base/log.hpp"

#include <sodium.h>

#include <boost/json.hpp>

namespace paperclip::access {

using storage::operator""_sql;

namespace {

std::string to_hex(const unsigned char* bytes, std::size_t size) {
    std::string hex(size * 2 + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), bytes, size);
    hex.pop_back();
    return hex;
}

/// A key that was given for one task must not open everything, and nothing would stop it.
void must_be_standard(const Json& scope) {
    const auto value = scope.parse();
    const auto* kind = value.as_object().if_contains("kind");
    if (kind != nullptr && *kind == "standard") return;
    refuse("scope.kind: expected \"standard\", found " +
           (kind == nullptr ? "nothing" : boost::json::serialize(*kind)) +
           "; this engine does not enforce restricted keys yet, and makes none");
}

std::string key_details(const Id& id, const std::string& name) {
    std::string details;
    JsonWriter(details).begin_object().member("keyId", id.view()).member("name", name).end_object();
    return details;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    return to_hex(hash, sizeof hash);
}

std::string random_hex(std::size_t size) {
    std::string bytes(size, '\0');
    randombytes_buf(bytes.data(), bytes.size());
    return to_hex(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

NewAgentKey AgentKeys::create(const Actor& actor, const Id& company, const Id& agent,
                              const Patch<AgentKey>& input) {
    AgentKey key = input.value;
    must_be_standard(key.scope);
    key.id = core_.ids.next();
    key.company_id = company;
    key.agent_id = agent;
    key.responsible_user_id = actor.user_id;
    key.created_at = core_.clock.now();
    const std::string token = "pcp_" + random_hex(24);

    storage::Unit unit = core_.store.unit();
    unit.add_row("agent_key.insert"_sql, key, {{"key_hash", sha256_hex(token)}}).otherwise([] {
        throw Error(ErrorKind::conflict,
                    "Keys cannot be made for an agent that is terminated or pending approval");
    });
    core_.journal.activity(
        unit, actor,
        {company, "agent.key_created", "agent", agent.str(), key_details(key.id, key.name)});
    core_.store.submit(unit);
    return {key.id, key.name, key.scope, key.responsible_user_id, token, key.created_at};
}

std::vector<AgentKey> AgentKeys::list(const Id& agent) {
    return core_.store.all<AgentKey>("agent_key.list"_sql, {{"agent_id", agent}});
}

void AgentKeys::revoke(const Actor& actor, const Id& company, const Id& agent, const Id& key) {
    storage::Unit unit = core_.store.unit();
    unit.add("agent_key.revoke"_sql, {{"id", key}, {"agent_id", agent}, {"now", core_.clock.now()}})
        .otherwise([] { throw Error(ErrorKind::not_found, "Key not found"); });
    core_.journal.activity(
        unit, actor, {company, "agent.key_revoked", "agent", agent.str(), key_details(key, "")});
    core_.store.submit(unit);
}

void AgentKeys::add_revoke_all(storage::Unit& unit, const Id& agent) const {
    unit.add("agent_key.revoke_all"_sql, {{"agent_id", agent}, {"now", core_.clock.now()}}).any();
}

std::optional<AgentKey> AgentKeys::find(std::string_view token) {
    auto key =
        core_.store.one<AgentKey>("agent_key.by_hash"_sql, {{"key_hash", sha256_hex(token)}});
    if (key) touch(key->id);
    return key;
}

void AgentKeys::touch(const Id& key) {
    const Time now = core_.clock.now();
    {
        const std::lock_guard lock(mutex_);
        Time& last = touched_[key];
        if (now - last < std::chrono::minutes(1)) return;
        last = now;
    }
    try {
        storage::Unit unit = core_.store.unit();
        unit.add("agent_key.touch"_sql, {{"id", key}, {"now", now}}).any();
        core_.store.submit(unit);
    } catch (const Error& e) {
        log_debug("last use of a key not noted", {{"error", e.message()}});
    }
}

void add_sql(storage::Catalogue& catalogue) {
    catalogue.add_struct<AgentKey>();
    catalogue.add(storage::access_sql());
}

}  // namespace paperclip::access
