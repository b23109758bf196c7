#pragma once

#include "engine/agents/agents.hpp"
#include "engine/company/companies.hpp"
#include "engine/governance/budgets.hpp"
#include "engine/work/issues.hpp"
#include "engine/work/projects.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace paperclip::storage {
const SqlModule& declaration_sql();
}

namespace paperclip::declaration {

/// The values of an object's declared fields by their names in YAML ("heartbeat.every"), as JSON;
/// what is not set is missing or null.
using Fields = std::map<std::string, std::string>;

enum class ObjectKind { company, agent, goal, project, issue };
BOOST_DESCRIBE_ENUM(ObjectKind, company, agent, goal, project, issue)

/// The declaration that was applied last to a company.
struct Applied {
    Id company_id;
    std::string slug;
    std::int64_t revision = 0;
    std::string document;  ///< company.yaml
    std::string document_hash;
    Time applied_at;
    std::string applied_by;
};
BOOST_DESCRIBE_STRUCT(Applied, (),
                      (company_id, slug, revision, document, document_hash, applied_at, applied_by))

/// What a key of a declaration stands for, and what was applied to it.
struct DeclaredObject {
    Id company_id;
    ObjectKind kind = ObjectKind::agent;
    std::string slug;
    Id object_id;
    Json fields;
};
BOOST_DESCRIBE_STRUCT(DeclaredObject, (), (company_id, kind, slug, object_id, fields))

/// A declared object as it was applied.
struct Managed {
    Id id;
    Fields applied;
};

/// The services that a declaration is applied through. All live as long as the engine.
struct Services {
    Core core;
    company::Companies& companies;
    agents::Agents& agents;
    work::Goals& goals;
    work::Projects& projects;
    work::Issues& issues;
    governance::Budgets& budgets;
    const agents::Adapters& adapters;
    std::filesystem::path instructions_root;  ///< <agent id>/AGENTS.md below it
};

/// A company as it is now, read for one comparison.
struct State {
    std::optional<company::Company> company;
    std::optional<Applied> applied;
    std::map<std::pair<ObjectKind, std::string>, Managed> managed;  ///< by kind and slug
    std::map<Id, std::string> slugs;                                ///< of what is managed
    std::map<Id, std::string> free_keys;  ///< what the rest would be declared by
    std::map<Id, agents::Agent> agents;
    std::map<Id, work::Goal> goals;
    std::map<Id, work::ProjectView> projects;
    std::map<Id, Money> run_limits;                ///< of agents
    std::map<Id, Money> month_limits;              ///< of agents
    std::optional<Money> company_limit;            ///< a month
    std::map<Id, std::string> instruction_hashes;  ///< of agents that have instructions

    [[nodiscard]] const Managed* find(ObjectKind kind, const std::string& slug) const;
    /// The slug that stands for `id`, or would.
    [[nodiscard]] std::string name_of(const Id& id) const;
    /// What is not declared, and would be by that slug.
    [[nodiscard]] std::optional<Id> adoptable(ObjectKind kind, const std::string& slug) const;
};

/// Reads the company that the slug stands for, or `company`; an empty state when there is none.
State read_state(const Services& services, const std::string& slug,
                 const std::optional<Id>& company);

std::filesystem::path instructions_file(const Services& services, const Id& agent);

}  // namespace paperclip::declaration
