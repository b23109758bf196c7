#pragma once

#include "engine/agents/agent.hpp"
#include "engine/declaration/budget.hpp"
#include "engine/declaration/keyed.hpp"
#include "engine/declaration/secret.hpp"
#include "engine/declaration/values.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

// What a declaration says of agents: `defaults:`, `roles:` and `agents:`.

namespace paperclip::declaration {

/// The program that an agent is, and the configuration that its plugin's own schema checks.
struct AdapterEntry {
    std::optional<std::string> type;
    std::optional<Json> config;
};
BOOST_DESCRIBE_STRUCT(AdapterEntry, (), (type, config))

/// When an agent wakes by itself; exactly one of `every` and `cron`.
struct HeartbeatEntry {
    std::optional<Span> every;
    std::optional<std::string> cron;
    std::optional<std::string> timezone;
    std::optional<Span> jitter;
    std::optional<QuietSpan> quiet_hours;
    std::optional<bool> run_when_idle;
    std::optional<std::vector<std::string>> check;
    std::optional<std::string> catch_up_policy;
};
BOOST_DESCRIBE_STRUCT(HeartbeatEntry, (),
                      (every, cron, timezone, jitter, quiet_hours, run_when_idle, check,
                       catch_up_policy))

/// What bounds one run, and how many there are at a time.
struct LimitsEntry {
    std::optional<Span> timeout;
    std::optional<Span> output_timeout;
    std::optional<Span> grace;
    std::optional<std::int64_t> max_concurrent_runs;
    std::optional<std::int64_t> max_issues_per_run;
};
BOOST_DESCRIBE_STRUCT(LimitsEntry, (),
                      (timeout, output_timeout, grace, max_concurrent_runs, max_issues_per_run))

/// How far an agent's files reach: its workspace alone, or all that its user may see.
enum class FileReach { none, workspace, machine };
BOOST_DESCRIBE_ENUM(FileReach, none, workspace, machine)

/// What an agent's programs can reach.
struct ConfinementEntry {
    std::optional<FileReach> files;
    std::optional<std::vector<std::string>> network;  ///< hosts, perhaps "*.example.com:443"
};
BOOST_DESCRIBE_STRUCT(ConfinementEntry, (), (files, network))

/// What `defaults:`, a role and an agent may each say; the later overrides the earlier key by key.
struct AgentSettings {
    std::optional<AdapterEntry> adapter;
    std::optional<HeartbeatEntry> heartbeat;
    std::optional<std::string> instructions;  ///< a file of the declaration's folder
    std::optional<Budget> budget;
    std::optional<LimitsEntry> limits;
    std::optional<ConfinementEntry> confinement;
    std::optional<std::map<std::string, EnvValue>> env;
    std::optional<std::string> capabilities;
};
BOOST_DESCRIBE_STRUCT(AgentSettings, (),
                      (adapter, heartbeat, instructions, budget, limits, confinement, env,
                       capabilities))

/// A role: what its agents may do, and never more.
struct RoleEntry : AgentSettings {
    std::optional<agents::AgentRole> base_role;  ///< the API's role behind an own name
    std::optional<std::vector<std::string>> permissions;
    std::optional<std::vector<std::string>> tools;
};
BOOST_DESCRIBE_STRUCT(RoleEntry, (AgentSettings), (base_role, permissions, tools))

struct AgentEntry : AgentSettings {
    std::optional<std::string> name;
    std::optional<std::string> from;  ///< TextForm<TemplateRef>
    std::optional<std::string> renamed_from;
    std::string role = "general";
    std::optional<std::string> title;
    std::optional<std::string> reports_to;
    std::optional<std::int64_t> count;
    std::optional<std::vector<std::string>> permissions;
    std::optional<std::vector<std::string>> tools;
};
BOOST_DESCRIBE_STRUCT(AgentEntry, (AgentSettings),
                      (name, from, renamed_from, role, title, reports_to, count, permissions,
                       tools))

}  // namespace paperclip::declaration

template <>
struct paperclip::Rules<paperclip::declaration::AdapterEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"type", {.min = 1, .max = 100, .doc = "An installed adapter type, such as claude_local"}},
        {"config", {.format = "json-object", .doc = "Checked by the plugin's own schema"}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::HeartbeatEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"cron", {.doc = "Five fields, quoted; instead of every"}},
        {"timezone", {.doc = "IANA name; the company's if absent"}},
        {"run_when_idle", {.doc = "Wake although the inbox is empty"}},
        {"check", {.min = 1, .max = 100, .doc = "argv run before a wake: 0 nothing new, 1 wake"}},
        {"catch_up_policy", {.doc = "skip_missed or run_once"}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::LimitsEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"max_concurrent_runs", {.min = 1, .max = 50}},
        {"max_issues_per_run", {.min = 1, .max = 100'000}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::ConfinementEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"network", {.max = 200, .doc = "Hosts that may be reached"}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::AgentSettings> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"instructions", {.min = 1, .max = 400, .doc = "A file beside company.yaml"}},
        {"capabilities", {.max = 10'000}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::RoleEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"permissions", {.max = 50}},
        {"tools", {.max = 200}},
    });
};
template <>
struct paperclip::Rules<paperclip::declaration::AgentEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"name", {.min = 1, .max = 120}},
        {"from", {.doc = "A template at an exact version"}},
        {"renamed_from", {.doc = "The key that this agent had before"}},
        {"role", {.min = 1, .max = 64}},
        {"title", {.max = 200}},
        {"reports_to", {.doc = "The key of its manager"}},
        {"count", {.min = 1, .max = 100, .doc = "That many agents, key-1, key-2 …"}},
        {"permissions", {.max = 50}},
        {"tools", {.max = 200}},
    });
};
