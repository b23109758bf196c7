#pragma once

#include "engine/declaration/source.hpp"
#include "engine/declaration/state.hpp"

#include <optional>
#include <string>

// One form for what is declared, what was applied and what is live, so that they can be compared
// field by field: names as in YAML, values as JSON, other objects by their keys.

namespace paperclip::declaration {

Fields declared_fields(const Document& document);
Fields declared_fields(const EffectiveAgent& agent, const Files& files);
Fields declared_fields(const GoalEntry& goal);
Fields declared_fields(const ProjectEntry& project);

Fields live_fields(const company::Company& company, const State& state);
Fields live_fields(const agents::Agent& agent, const State& state);
Fields live_fields(const work::Goal& goal, const State& state);
Fields live_fields(const work::ProjectView& project, const State& state);

/// What a field becomes when it is declared no longer.
std::string default_value(ObjectKind kind, const std::string& field);

/// An agent's row and what stands beside it, while fields are set in it.
struct AgentDraft {
    agents::Agent agent;
    std::optional<Money> run_limit;
    /// Sets a field other than reportsTo and instructions, which need more than the agent; a null
    /// value takes it away.
    void set(const std::string& field, const std::string& value);
};

void set_field(company::Company& company, const std::string& field, const std::string& value);
/// Fields that name other objects (parent, owner, lead, goals) are left to the caller.
void set_field(work::Goal& goal, const std::string& field, const std::string& value);
void set_field(work::Project& project, const std::string& field, const std::string& value);
void set_field(work::Workspace& workspace, const std::string& field, const std::string& value);

/// A variable's value as an adapter's configuration has it.
std::string env_json(const EnvValue& value);
/// The text of a JSON string; nothing for null.
std::optional<std::string> text_of(const std::string& json);
/// JSON with the members of objects in the order of their names.
std::string canonical(const Json& json);

/// What an agent whose budget is not declared may spend a month.
constexpr Money k_default_budget{10'000'000};

}  // namespace paperclip::declaration
