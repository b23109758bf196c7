#include "engine/agents/agents.hpp"
#include "engine/base/nearest.hpp"
#include "engine/declaration/checker.hpp"
#include "engine/declaration/fields.hpp"

#include <algorithm>
#include <map>

#include <boost/json.hpp>

namespace paperclip::declaration {
namespace {

/// The API's permission keys that an agent may hold.
const std::vector<std::string> k_permissions{"agents:create",
                                             "agents:configure",
                                             "agents:suggest-changes",
                                             "skills:create",
                                             "skills:suggest-changes",
                                             "environments:manage",
                                             "tools:admin",
                                             "tools:manage_connections",
                                             "tools:manage_profiles",
                                             "tools:view_audit",
                                             "tools:use",
                                             "tools:manage_runtime",
                                             "inbox:manage",
                                             "users:invite",
                                             "users:manage_permissions",
                                             "tasks:assign",
                                             "tasks:assign_scope",
                                             "tasks:manage_active_checkouts",
                                             "pipelines:write",
                                             "joins:approve"};

std::vector<std::string> api_roles() {
    std::vector<std::string> words;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<agents::AgentRole>>(
        [&](auto d) { words.emplace_back(d.name); });
    return words;
}

/// The first word of `list` that `bound` has not.
std::optional<std::size_t> beyond(const std::vector<std::string>& list,
                                  const std::vector<std::string>& bound) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (std::find(bound.begin(), bound.end(), list[i]) == bound.end()) return i;
    }
    return std::nullopt;
}

/// What a finding of a plugin's schema is about: "env.HOME: expected …" says it first, "… is not
/// allowed: 'env'." last.
Path member_of(const std::string& finding) {
    const std::string first = finding.substr(0, finding.find(": "));
    if (first.find(' ') == std::string::npos) {
        Path path{""};
        for (const char c : first) {
            if (c == '.') {
                path.emplace_back();
            } else {
                path.back() += c;
            }
        }
        return path;
    }
    const auto end = finding.rfind('\'');
    if (end == std::string::npos || end == 0) return {};
    const auto begin = finding.rfind('\'', end - 1);
    if (begin == std::string::npos) return {};
    return {finding.substr(begin + 1, end - begin - 1)};
}

/// The configuration that an agent will have: the plugin's part, and the variables of `env`.
Json config_of(const AgentEntry& all) {
    Json config = with_secret_marks(all.adapter->config.value_or(Json{}));
    if (!all.env || all.env->empty()) return config;
    boost::json::value value = config.parse();
    auto& env = value.as_object()["env"];
    if (!env.is_object()) env.emplace_object();
    for (const auto& [name, entry] : *all.env) env.get_object()[name] = parse_json(env_json(entry));
    return Json::from(value);
}

}  // namespace

void Checker::check_heartbeat(const Path& path, const HeartbeatEntry& heartbeat) {
    if (heartbeat.every && heartbeat.cron) {
        error(path / "cron", "expected one of every and cron, found both");
    }
    if (heartbeat.every && heartbeat.every->seconds() < 1) {
        error(path / "every", "expected at least 1s");
    }
    check_cron(path / "cron", heartbeat.cron);
    check_zone(path / "timezone", heartbeat.timezone);
    check_catch_up(path / "catchUpPolicy", heartbeat.catch_up_policy);
}

void Checker::check_instructions(const Path& path, const std::string& file) {
    if (!is_inner_path(file)) {
        error(path, "expected a path within the declaration's folder, without .., found \"" + file +
                        "\"");
        return;
    }
    // A role that no agent has, and defaults that none takes, want no file: nobody reads it.
    if (files_.contains(file) || !read_files_.contains(file)) return;
    std::vector<std::string_view> known;
    for (const auto& [name, content] : files_) {
        if (name != k_company_file) known.push_back(name);
    }
    const auto likely = nearest(file, known);
    error(
        path,
        "there is no file " + file + (likely ? "; did you mean " + std::string(*likely) + "?" : ""),
        "missing_file");
}

void Checker::check_permissions(const Path& path,
                                const std::optional<std::vector<std::string>>& words) {
    if (!words) return;
    for (std::size_t i = 0; i < words->size(); ++i) {
        must_be_one_of(path / std::to_string(i), (*words)[i], k_permissions, "permission");
    }
}

void Checker::check_one_settings(const Path& path, const AgentSettings& settings) {
    if (settings.heartbeat) check_heartbeat(path / "heartbeat", *settings.heartbeat);
    if (settings.instructions) check_instructions(path / "instructions", *settings.instructions);
    if (settings.confinement && settings.confinement->network) {
        const auto& hosts = *settings.confinement->network;
        for (std::size_t i = 0; i < hosts.size(); ++i) {
            if (is_host(hosts[i])) continue;
            error(path / "confinement" / "network" / std::to_string(i),
                  "expected a host such as api.github.com or *.example.com:443, found \"" +
                      hosts[i] + "\"");
        }
    }
    if (settings.env) {
        for (const auto& [name, value] : *settings.env) {
            if (!is_variable_name(name)) {
                error_at_key(path / "env" / name, "expected the name of an environment variable");
            }
            if (!value.secret.empty()) {
                check_secret(path / "env" / name / "secret", value.secret);
            }
        }
    }
    if (settings.adapter) {
        check_secrets_in(path / "adapter" / "config", settings.adapter->config);
    }
}

void Checker::check_settings() {
    if (document_.defaults) check_one_settings({"defaults"}, *document_.defaults);
    for (const auto& [key, role] : document_.roles) {
        const Path path{"roles", key};
        check_one_settings(path, role);
        check_permissions(path / "permissions", role.permissions);
        if (api_role(document_, key)) continue;
        const std::vector<std::string> known = api_roles();
        error_at_key(path,
                     "an own role needs baseRole, one of " +
                         listed(std::vector<std::string_view>(known.begin(), known.end())),
                     "missing");
    }
}

Path Checker::origin(const std::string& key, const AgentEntry& entry, Path below) const {
    const auto under = [&](Path path) {
        path.insert(path.end(), below.begin(), below.end());
        return path;
    };
    for (const Path& path : {Path{"agents", key}, Path{"roles", entry.role}, Path{"defaults"}}) {
        if (source_.yaml->has(under(path))) return under(path);
    }
    return under({"agents", key});
}

Path Checker::origin_of_config(const std::string& key, const AgentEntry& entry, Path member) const {
    for (;; member.pop_back()) {
        Path below{"adapter", "config"};
        below.insert(below.end(), member.begin(), member.end());
        if (Path path = origin(key, entry, below); source_.yaml->has(path)) return path;
        if (member.empty()) return {};
        if (member.front() != "env") continue;
        if (Path path = origin(key, entry, member); source_.yaml->has(path)) return path;
    }
}

void Checker::check_adapter(const std::string& key, const AgentEntry& entry,
                            const AgentEntry& all) {
    if (!all.adapter || !all.adapter->type) {
        error_at_key({"agents", key}, "needs an adapter; expected adapter: { type: …, config: … }",
                     "missing");
        return;
    }
    const std::string& type = *all.adapter->type;
    const Path at_type = origin(key, entry, {"adapter", "type"});
    if (!must_be_one_of(at_type, type, adapters_.types(), "installed adapter type")) return;
    const Json config = agents::normalize_adapter_config(config_of(all));
    for (const std::string& finding : adapters_.check_config(type, config, !entry.from)) {
        Path path = origin_of_config(key, entry, member_of(finding));
        if (path.empty()) path = at_type;
        const std::string whose = path.front() == "agents" ? "" : " of agent " + key;
        error(path, "adapter " + type + whose + ": " + finding, "adapter_config");
    }
}

void Checker::check_role_bounds(const std::string& key, const AgentEntry& entry) {
    const RoleEntry* role = document_.roles.find(entry.role);
    if (role == nullptr) return;
    const Path path{"agents", key};
    const auto bounded = [&](const Path& at, const auto& list, const auto& bound,
                             const char* what) {
        if (!list || !bound) return;
        if (const auto i = beyond(*list, *bound)) {
            error(at / std::to_string(*i),
                  "\"" + (*list)[*i] + "\" goes beyond the role " + entry.role + ", which has " +
                      (bound->empty()
                           ? "no " + std::string(what)
                           : listed(std::vector<std::string_view>(bound->begin(), bound->end()))) +
                      "; an agent can never widen its role",
                  "widens_role");
        }
    };
    bounded(path / "permissions", entry.permissions, role->permissions, "permissions");
    bounded(path / "tools", entry.tools, role->tools, "tools");
    if (!entry.confinement || !role->confinement) return;
    bounded(path / "confinement" / "network", entry.confinement->network,
            role->confinement->network, "hosts");
    if (entry.confinement->files && role->confinement->files &&
        *entry.confinement->files > *role->confinement->files) {
        error(path / "confinement" / "files",
              "reaches further than the role " + entry.role + "; an agent can never widen its role",
              "widens_role");
    }
}

void Checker::check_agent(const std::string& key, const AgentEntry& entry) {
    const Path path{"agents", key};
    check_one_settings(path, entry);
    check_permissions(path / "permissions", entry.permissions);
    if (!api_role(document_, entry.role)) {
        Words known = api_roles();
        known.insert(known.end(), roles_.begin(), roles_.end());
        must_be_one_of(path / "role", entry.role, known, "role");
    }
    if (entry.reports_to) {
        const AgentEntry* many = document_.agents.find(*entry.reports_to);
        if (many != nullptr && many->count) {
            error(path / "reportsTo", *entry.reports_to + " stands for " +
                                          std::to_string(*many->count) +
                                          " agents; name one, such as " + *entry.reports_to + "-1");
        } else {
            must_be_one_of(path / "reportsTo", *entry.reports_to, agents_, "agent");
        }
    }
    if (entry.from && !TextForm<TemplateRef>::parse(*entry.from)) {
        error(path / "from", "expected " + std::string(TextForm<TemplateRef>::expected) +
                                 ", found \"" + *entry.from + "\"");
    }
    if (entry.count && entry.name) {
        error(path / "name", "agents made by count: are named for their keys; remove the name");
    }
    check_renamed(path, entry.renamed_from, agents_);
    check_role_bounds(key, entry);
    const AgentEntry all = merged(document_, entry);
    check_adapter(key, entry, all);
    lint_agent(key, all);
}

void Checker::lint_agent(const std::string& key, const AgentEntry& all) {
    const Path path{"agents", key};
    if (!all.heartbeat) return;
    const HeartbeatEntry& heartbeat = *all.heartbeat;
    const bool wakes = heartbeat.every || heartbeat.cron;
    if (wakes && !all.budget) {
        warn(path, "wakes by itself and has no budget; it gets $10/month", "no_budget");
    }
    if (!wakes && (heartbeat.run_when_idle || heartbeat.check || heartbeat.quiet_hours)) {
        warn(path, "its heartbeat has neither every nor cron, so it never wakes by itself",
             "no_schedule");
    }
    if (heartbeat.every && heartbeat.run_when_idle.value_or(false) &&
        heartbeat.every->length < std::chrono::minutes(15)) {
        warn(path,
             "runs every " + TextForm<Span>::format(*heartbeat.every) +
                 " even when there is nothing to do; is runWhenIdle meant?",
             "idle_runs");
    }
}

/// Agents are known by the letters and digits of their names: no two may have the same ones.
void Checker::check_names() {
    std::map<std::string, std::string> holders;
    for (const std::string& slug : agents_) {
        const AgentEntry* entry = document_.agents.find(slug);
        const bool named = entry != nullptr && entry->name;
        const auto [holder, is_free] =
            holders.try_emplace(agents::slug_of(named ? *entry->name : slug), slug);
        if (is_free || holder->second == slug) continue;
        const Path path{"agents", slug};
        error(named ? path / "name" : path,
              "an agent is known by the letters a-z and digits of its name, \"" + holder->first +
                  "\", and the agent " + holder->second + " has the same; choose another name",
              "duplicate_name");
    }
}

void Checker::check_org_chart() {
    std::map<std::string, std::string> manager;
    for (const auto& [key, entry] : document_.agents) {
        if (!entry.reports_to) continue;
        if (!entry.count) manager[key] = *entry.reports_to;
        for (std::int64_t n = 1; n <= entry.count.value_or(0); ++n) {
            manager[key + "-" + std::to_string(n)] = *entry.reports_to;
        }
    }
    std::set<std::string> known_cycle;
    for (const auto& [agent, above] : manager) {
        std::vector<std::string> chain{agent};
        for (auto at = manager.find(agent); at != manager.end(); at = manager.find(at->second)) {
            if (known_cycle.contains(at->second)) break;
            if (at->second == agent) {
                chain.push_back(agent);
                known_cycle.insert(chain.begin(), chain.end());
                check_cycle("agents", agent, chain, "reportsTo");
                break;
            }
            if (std::find(chain.begin(), chain.end(), at->second) != chain.end()) break;
            chain.push_back(at->second);
        }
    }
}

void Checker::check_agents() {
    std::map<std::string, int> seen;
    for (const std::string& slug : agents_) ++seen[slug];
    for (const auto& [slug, times] : seen) {
        if (times == 1) continue;
        error_at_key({"agents", slug}, "count: of another entry makes an agent of the same key",
                     "duplicate_key");
    }
    for (const auto& [key, entry] : document_.agents) check_agent(key, entry);
    check_names();
    check_org_chart();
    std::size_t roots = 0;
    for (const auto& [key, entry] : document_.agents) {
        if (!entry.reports_to) roots += static_cast<std::size_t>(entry.count.value_or(1));
    }
    if (roots > 1) {
        warn({"agents"}, std::to_string(roots) + " agents report to nobody", "many_roots");
    }
}

}  // namespace paperclip::declaration
