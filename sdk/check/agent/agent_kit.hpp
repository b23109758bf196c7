#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The conformance kit of paperclip.agent/1: what an agent plugin promises, rule by rule. It knows
/// the interface and no product; see README.md.
namespace paperclip::check::agent {

struct Options {
    /// A configuration (JSON) by adapter type. For a type that is not there one is made from its
    /// schema: the first of `examples`, the `default`, or the least value of each required member.
    std::map<std::string, std::string> configs = {};
    /// How often a run is opened and closed when what that leaves behind is looked for.
    int rounds = 1000;
    /// A rule that takes longer is broken off, and is a finding.
    std::chrono::seconds patience{60};
};

/// A promise that was not kept.
struct Finding {
    std::string rule;     ///< stable: "agent.one_result"
    std::string message;  ///< what was expected and what was found
};

struct RuleInfo {
    std::string_view id;
    std::string_view what;  ///< the promise in a sentence
};

/// All rules, in the order in which they are checked.
std::vector<RuleInfo> rules();

/// Checks the plugin in `folder` (plugin.json and the library). Each rule that runs the plugin's
/// code does so in a child process of its own, made with fork(): call it from a process without
/// other threads. Nothing found: the plugin passes. Throws std::system_error when no child can be
/// made.
std::vector<Finding> check_plugin(const std::filesystem::path& folder, const Options& options = {});

}  // namespace paperclip::check::agent
