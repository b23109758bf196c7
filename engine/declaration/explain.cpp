#include "engine/declaration/explain.hpp"

#include "engine/base/error.hpp"
#include "engine/base/nearest.hpp"
#include "engine/declaration/fields.hpp"

#include <algorithm>
#include <set>

namespace paperclip::declaration {
namespace {

std::string list_text(const std::vector<std::string>& words) {
    return words.empty() ? "none"
                         : listed(std::vector<std::string_view>(words.begin(), words.end()));
}

const EffectiveAgent& find(const std::vector<EffectiveAgent>& agents, const std::string& slug) {
    std::vector<std::string_view> known;
    for (const EffectiveAgent& agent : agents) {
        if (agent.slug == slug) return agent;
        known.push_back(agent.slug);
    }
    const auto likely = nearest(slug, known);
    throw Error(ErrorKind::not_found, "There is no agent \"" + slug + "\" in the declaration" +
                                          (likely ? "; did you mean " + std::string(*likely) + "?"
                                                  : "; its agents are " + listed(known)));
}

void add_identity(Explanation& out, const std::vector<EffectiveAgent>& agents,
                  const EffectiveAgent& agent) {
    const AgentEntry& entry = agent.settings;
    out.is.push_back(
        "role " + entry.role +
        (entry.role == word(agent.role) ? "" : " (" + std::string(word(agent.role)) + ")"));
    if (entry.adapter && entry.adapter->type) out.is.push_back("runs " + *entry.adapter->type);
    out.is.push_back(entry.reports_to ? "reports to " + *entry.reports_to : "reports to nobody");
    std::vector<std::string> reports;
    for (const EffectiveAgent& other : agents) {
        if (other.settings.reports_to == agent.slug) reports.push_back(other.slug);
    }
    if (!reports.empty()) out.is.push_back("leads " + list_text(reports));
}

void add_wakes(Explanation& out, const AgentEntry& entry, const std::string& zone) {
    const HeartbeatEntry heartbeat = entry.heartbeat.value_or(HeartbeatEntry{});
    if (heartbeat.every) {
        out.wakes.push_back("every " + TextForm<Span>::format(*heartbeat.every));
    } else if (heartbeat.cron) {
        out.wakes.push_back("at \"" + *heartbeat.cron + "\" in " +
                            heartbeat.timezone.value_or(zone));
    } else {
        out.wakes.emplace_back("never by itself");
    }
    if (heartbeat.quiet_hours && !heartbeat.quiet_hours->is_none()) {
        out.wakes.push_back("but not between " + heartbeat.quiet_hours->text);
    }
    out.wakes.emplace_back(heartbeat.run_when_idle.value_or(false)
                               ? "runs even with nothing to do"
                               : "runs only when there is something to do");
    if (heartbeat.check) out.wakes.push_back("after the check " + list_text(*heartbeat.check));
}

void add_spending(Explanation& out, const Document& document, const AgentEntry& entry) {
    const Budget budget = entry.budget.value_or(Budget{});
    const bool has_month =
        budget.is_unlimited() || budget.find(LimitUnit::dollars, LimitWindow::month) != nullptr;
    if (!has_month) {
        out.spends.push_back("at most " + to_dollars(k_default_budget) +
                             "/month (not declared; this is the default)");
    }
    for (const Limit& limit : budget.limits) {
        const bool in_force =
            limit.unit == LimitUnit::unlimited ||
            (limit.unit == LimitUnit::dollars &&
             (limit.window == LimitWindow::month || limit.window == LimitWindow::run));
        out.spends.push_back((limit.unit == LimitUnit::unlimited
                                  ? "without a limit a month"
                                  : "at most " + TextForm<Limit>::format(limit)) +
                             (in_force ? "" : " (not yet in force)"));
    }
    for (const BudgetEntry& shared : document.budgets) {
        if (shared.scope.kind != "company") continue;
        out.spends.push_back("together with all others " + TextForm<Limit>::format(shared.limit));
    }
    if (entry.limits && entry.limits->timeout) {
        out.spends.push_back("each run at most " + TextForm<Span>::format(*entry.limits->timeout));
    }
}

void add_reach(Explanation& out, const AgentEntry& entry) {
    const ConfinementEntry confinement = entry.confinement.value_or(ConfinementEntry{});
    out.reaches.push_back(confinement.network
                              ? "hosts: " + list_text(*confinement.network) + " (not yet in force)"
                              : "any host");
    out.reaches.push_back(confinement.files ? "files: " + std::string(word(*confinement.files)) +
                                                  " (not yet in force)"
                                            : "all files of the user that the engine runs as");
    std::set<std::string> secrets;
    for (const auto& [name, value] : entry.env.value_or(std::map<std::string, EnvValue>{})) {
        if (!value.secret.empty()) secrets.insert(value.secret);
    }
    if (entry.adapter && entry.adapter->config) {
        for (const auto& name : secrets_in(*entry.adapter->config)) secrets.insert(name);
    }
    out.reaches.push_back("secrets: " + list_text({secrets.begin(), secrets.end()}));
}

void add_permissions(Explanation& out, const EffectiveAgent& agent) {
    const auto defaults = agents::default_permissions(agent.role);
    const auto& words = agent.settings.permissions;
    const auto has = [&](const char* permission, bool otherwise) {
        return words ? std::find(words->begin(), words->end(), permission) != words->end()
                     : otherwise;
    };
    out.may.emplace_back(has("agents:create", defaults.can_create_agents) ? "hire agents"
                                                                          : "hire nobody");
    out.may.emplace_back(has("tasks:assign", true) ? "assign work to others"
                                                   : "assign work to nobody else");
    if (has("skills:create", defaults.can_create_skills)) out.may.emplace_back("create skills");
    if (agent.settings.tools) {
        out.may.push_back("use the tools " + list_text(*agent.settings.tools) +
                          " (not yet in force)");
    }
}

}  // namespace

Explanation explain(const Document& document, const std::string& slug) {
    const auto agents = effective_agents(document);
    const EffectiveAgent& agent = find(agents, slug);
    Explanation out;
    out.agent = slug;
    add_identity(out, agents, agent);
    add_wakes(out, agent.settings, document.timezone.value_or("UTC"));
    add_spending(out, document, agent.settings);
    add_reach(out, agent.settings);
    add_permissions(out, agent);
    const auto add = [&](const char* title, const std::vector<std::string>& lines) {
        out.text += std::string(title) + "\n";
        for (const auto& line : lines) out.text += "  " + line + "\n";
    };
    add(slug.c_str(), out.is);
    add("wakes", out.wakes);
    add("can spend", out.spends);
    add("can reach", out.reaches);
    add("may", out.may);
    return out;
}

}  // namespace paperclip::declaration
