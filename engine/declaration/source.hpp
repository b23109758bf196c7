#pragma once

#include "engine/declaration/document.hpp"
#include "engine/declaration/finding.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::declaration {

/// The files of a declaration by their path in its folder: company.yaml and what it refers to.
using Files = std::map<std::string, std::string>;

/// A company.yaml as it was read. `document` is whole only when nothing is wrong with it.
struct Source {
    std::optional<YamlDocument> yaml;
    Document document;
    Findings findings;
};

/// Reads company.yaml out of `files`; what is wrong with its form stands in `findings`.
Source read_source(const Files& files);

/// The files that the document refers to: the instructions of its agents, each once.
std::vector<std::string> referenced_files(const Document& document);

/// An agent as all of `defaults:`, its role and its own entry have it; `count: 3` gives three.
struct EffectiveAgent {
    std::string slug;   ///< "senior-python-eng-2"
    std::string entry;  ///< its key in the file, "senior-python-eng"
    agents::AgentRole role = agents::AgentRole::general;
    AgentEntry settings;
};

/// All agents, managers before those who report to them. The document must be free of errors.
std::vector<EffectiveAgent> effective_agents(const Document& document);

/// One entry laid over its role and the defaults.
AgentEntry merged(const Document& document, const AgentEntry& entry);
/// The API's role that a role's name stands for; nothing when there is no such role.
std::optional<agents::AgentRole> api_role(const Document& document, std::string_view name);

/// `config` with `{ secret: NAME }`, at any depth, in the form that plugins know:
/// `{"$secret":"NAME"}`.
Json with_secret_marks(const Json& config);
/// The names that `{ secret: NAME }` in `config` mentions.
std::vector<std::string> secrets_in(const Json& config);

/// Is `path` a file's path within the folder: relative, without "..", "//" or backslashes?
bool is_inner_path(std::string_view path) noexcept;

}  // namespace paperclip::declaration
