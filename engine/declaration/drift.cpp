#include "engine/declaration/exporting.hpp"
#include "engine/declaration/fields.hpp"

#include <algorithm>

namespace paperclip::declaration {
namespace {

std::string shown(const Json& value) {
    return value.text == "null" ? "(none)" : text_of(value.text).value_or(value.text);
}

}  // namespace

std::optional<Fields> live_fields_of(const State& state, ObjectKind kind, const Id& id) {
    if (kind == ObjectKind::company) return live_fields(*state.company, state);
    if (kind == ObjectKind::agent) {
        const auto agent = state.agents.find(id);
        if (agent == state.agents.end()) return std::nullopt;
        if (agent->second.status == agents::AgentStatus::terminated) return std::nullopt;
        return live_fields(agent->second, state);
    }
    if (kind == ObjectKind::goal) {
        const auto goal = state.goals.find(id);
        if (goal != state.goals.end()) return live_fields(goal->second, state);
    }
    if (kind == ObjectKind::project) {
        const auto project = state.projects.find(id);
        if (project != state.projects.end()) return live_fields(project->second, state);
    }
    return std::nullopt;
}

Drift drift_of(const State& state) {
    Drift drift;
    if (state.applied) {
        drift.company = state.applied->slug;
        drift.revision = state.applied->revision;
    }
    for (const auto& [key, managed] : state.managed) {
        if (key.first == ObjectKind::issue) continue;
        const auto live = live_fields_of(state, key.first, managed.id);
        if (!live) {
            drift.missing.push_back(std::string(word(key.first)) + " " + key.second);
            continue;
        }
        Change change{Act::update, key.first, key.second, {}, {}};
        for (const auto& [name, applied] : managed.applied) {
            const auto now = live->find(name);
            const std::string value = now == live->end() ? "null" : now->second;
            if (value == applied) continue;
            change.fields.push_back({name, Json::trusted(applied), Json::trusted(value), true});
        }
        if (!change.fields.empty()) drift.changes.push_back(std::move(change));
    }
    for (const auto& [id, agent] : state.agents) {
        const bool there = agent.status != agents::AgentStatus::terminated;
        if (there && !state.slugs.contains(id)) drift.unmanaged.push_back(state.name_of(id));
    }
    std::sort(drift.unmanaged.begin(), drift.unmanaged.end());
    return drift;
}

std::string to_text(const Drift& drift) {
    std::string out;
    for (const Change& change : drift.changes) {
        out += std::string(word(change.kind)) + " " + change.slug + "\n";
        for (const FieldChange& field : change.fields) {
            out += "  " + field.field + ": ";
            out += field.field == "instructions" ? "(changed)"
                                                 : shown(field.from) + " -> " + shown(field.to);
            out += '\n';
        }
    }
    for (const auto& missing : drift.missing) out += missing + " is gone\n";
    for (const auto& agent : drift.unmanaged) out += "agent " + agent + " is not declared\n";
    return out.empty() ? "No drift.\n" : out;
}

}  // namespace paperclip::declaration
