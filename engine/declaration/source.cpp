#include "engine/declaration/source.hpp"

#include "engine/agents/adapters.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include <boost/json.hpp>

namespace paperclip::declaration {
namespace {

/// `over` laid over `below`: members that it has win; structs of optional members are merged in
/// turn.
template <class T>
void lay_over(T& below, const T& over);

template <class T>
constexpr bool k_is_group = detail::Described<T> && !std::is_same_v<T, AdapterEntry>;

template <class V>
void lay_member_over(std::optional<V>& below, const std::optional<V>& over) {
    if (!over) return;
    if constexpr (std::is_same_v<V, Budget>) {
        below = below ? over->over(*below) : *over;
    } else if constexpr (std::is_same_v<V, std::map<std::string, EnvValue>>) {
        std::map<std::string, EnvValue> env = *over;
        if (below) env.merge(std::map<std::string, EnvValue>(*below));
        below = std::move(env);
    } else if constexpr (k_is_group<V>) {
        if (!below) below.emplace();
        lay_over(*below, *over);
    } else {
        below = over;
    }
}

void lay_member_over(std::optional<AdapterEntry>& below, const std::optional<AdapterEntry>& over) {
    if (!over) return;
    if (!below || (over->type && over->type != below->type)) {
        below = over;
        return;
    }
    if (!over->config) return;
    below->config =
        below->config ? agents::merge_objects(*below->config, *over->config) : *over->config;
}

/// Exactly one of the two: saying one takes the other away.
void lay_member_over(std::optional<HeartbeatEntry>& below,
                     const std::optional<HeartbeatEntry>& over) {
    if (!over) return;
    if (!below) below.emplace();
    if (over->every) below->cron.reset();
    if (over->cron) below->every.reset();
    lay_over(*below, *over);
}

template <class T>
void lay_over(T& below, const T& over) {
    boost::mp11::mp_for_each<detail::Members<T>>(
        [&](auto d) { lay_member_over(below.*d.pointer, over.*d.pointer); });
}

void visit_secrets(const boost::json::value& value,
                   const std::function<void(const std::string&)>& visit) {
    if (value.is_array()) {
        for (const auto& item : value.get_array()) visit_secrets(item, visit);
    }
    if (!value.is_object()) return;
    const auto& object = value.get_object();
    const auto* name = object.if_contains("secret");
    if (object.size() == 1 && name != nullptr && name->is_string()) {
        visit(std::string(std::string_view(name->get_string())));
        return;
    }
    for (const auto& [key, member] : object) visit_secrets(member, visit);
}

void mark_secrets(boost::json::value& value) {
    if (value.is_array()) {
        for (auto& item : value.get_array()) mark_secrets(item);
    }
    if (!value.is_object()) return;
    auto& object = value.get_object();
    const auto* name = object.if_contains("secret");
    if (object.size() == 1 && name != nullptr && name->is_string()) {
        boost::json::object marked;
        marked["$secret"] = *name;
        value = std::move(marked);
        return;
    }
    for (auto& [key, member] : object) mark_secrets(member);
}

std::vector<EffectiveAgent> expanded(const Document& document) {
    std::vector<EffectiveAgent> list;
    for (const auto& [key, entry] : document.agents) {
        EffectiveAgent agent;
        agent.entry = key;
        agent.settings = merged(document, entry);
        agent.role = api_role(document, entry.role).value_or(agents::AgentRole::general);
        if (!entry.count) {
            agent.slug = key;
            list.push_back(std::move(agent));
            continue;
        }
        for (std::int64_t n = 1; n <= *entry.count; ++n) {
            agent.slug = key + "-" + std::to_string(n);
            list.push_back(agent);
        }
    }
    return list;
}

}  // namespace

Source read_source(const Files& files) {
    Source source;
    const auto file = files.find(std::string(k_company_file));
    if (file == files.end()) {
        source.findings.push_back({Severity::error,
                                   std::string(k_company_file),
                                   0,
                                   0,
                                   {},
                                   "missing",
                                   "there is no such file; a declaration begins with it"});
        return source;
    }
    Problems problems(Problems::Reading::strict);
    source.yaml = YamlDocument::parse(file->second, problems);
    if (source.yaml) type_of<Document>().read(source.yaml->root(), &source.document, problems);
    for (const Problem& problem : problems.list()) {
        source.findings.push_back(finding_of(problem, k_company_file));
    }
    return source;
}

std::vector<std::string> referenced_files(const Document& document) {
    std::set<std::string> files;
    for (const auto& [key, entry] : document.agents) {
        if (const auto all = merged(document, entry); all.instructions) {
            files.insert(*all.instructions);
        }
    }
    return {files.begin(), files.end()};
}

std::optional<agents::AgentRole> api_role(const Document& document, std::string_view name) {
    if (const RoleEntry* role = document.roles.find(name)) {
        if (role->base_role) return role->base_role;
    }
    return parse_word<agents::AgentRole>(name);
}

AgentEntry merged(const Document& document, const AgentEntry& entry) {
    AgentSettings settings = document.defaults.value_or(AgentSettings{});
    const RoleEntry* role = document.roles.find(entry.role);
    if (role != nullptr) lay_over<AgentSettings>(settings, *role);
    lay_over<AgentSettings>(settings, entry);
    AgentEntry all = entry;
    static_cast<AgentSettings&>(all) = std::move(settings);
    if (role != nullptr && !all.permissions) all.permissions = role->permissions;
    if (role != nullptr && !all.tools) all.tools = role->tools;
    return all;
}

std::vector<EffectiveAgent> effective_agents(const Document& document) {
    std::vector<EffectiveAgent> waiting = expanded(document);
    std::vector<EffectiveAgent> ordered;
    std::set<std::string> placed;
    // Each pass places those whose manager is placed; a cycle, which validation refuses, ends it.
    for (bool progress = true; progress && !waiting.empty();) {
        progress = false;
        std::vector<EffectiveAgent> later;
        for (EffectiveAgent& agent : waiting) {
            const auto& manager = agent.settings.reports_to;
            if (!manager || placed.contains(*manager)) {
                placed.insert(agent.slug);
                ordered.push_back(std::move(agent));
                progress = true;
            } else {
                later.push_back(std::move(agent));
            }
        }
        waiting = std::move(later);
    }
    return ordered;
}

Json with_secret_marks(const Json& config) {
    boost::json::value value = config.parse();
    mark_secrets(value);
    return Json::from(value);
}

std::vector<std::string> secrets_in(const Json& config) {
    std::vector<std::string> names;
    visit_secrets(config.parse(), [&](const std::string& name) { names.push_back(name); });
    return names;
}

bool is_inner_path(std::string_view path) noexcept {
    if (path.empty() || path.front() == '/' || path.find('\\') != std::string_view::npos) {
        return false;
    }
    while (true) {
        const auto step = path.substr(0, path.find('/'));
        if (step.empty() || step == "." || step == "..") return false;
        if (step.size() == path.size()) return true;
        path.remove_prefix(step.size() + 1);
    }
}

}  // namespace paperclip::declaration
