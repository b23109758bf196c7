#pragma once

#include "agent_kit.hpp"
#include "play.hpp"
#include "plugin_under_check.hpp"

namespace paperclip::check::agent {

/// What a rule works with.
struct Context {
    const Manifest& manifest;
    const Options& options;

    /// A request for a type that the plugin would run.
    [[nodiscard]] Request request(const Loaded& loaded, const std::string& type) const;
};

/// One promise. `check` throws Broken when it is not kept.
struct Rule {
    RuleInfo info;
    bool needs_child;  ///< it runs the plugin's code
    void (*check)(const Context& context);
};

// One a file: what belongs together.
std::vector<Rule> load_rules();
std::vector<Rule> run_rules();
std::vector<Rule> hostile_rules();

}  // namespace paperclip::check::agent
