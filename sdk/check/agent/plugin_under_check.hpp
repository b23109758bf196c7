#pragma once

#include "agent_kit.hpp"

#include <filesystem>
#include <paperclip/draft/agent.h>
#include <string>
#include <vector>

namespace paperclip::check::agent {

/// What stands in plugin.json.
struct Manifest {
    std::string id;
    std::string version;
    std::string abi;
    std::vector<std::string> interfaces;
    std::vector<std::string> adapter_types;
    std::vector<std::string> actions;
    std::filesystem::path library;
};

/// Throws Broken, naming the member.
Manifest read_manifest(const std::filesystem::path& folder);

/// The plugin's code in this process. Never unloaded.
struct Loaded {
    const pc_plugin* plugin = nullptr;
    const pc_agent* agent = nullptr;

    /// What describe() says, unchecked.
    [[nodiscard]] std::string describe() const;
    /// The types that describe() names. Throws Broken when it does not do so.
    [[nodiscard]] std::vector<std::string> adapter_types() const;
    /// The schema of a type, unchecked. Throws Broken when there is none.
    [[nodiscard]] std::string config_schema(const std::string& type) const;
};

/// Loads the library and calls init. Throws Broken.
Loaded load(const Manifest& manifest);

/// A configuration that a schema of objects, strings and the like accepts.
std::string least_config(const std::string& schema);

}  // namespace paperclip::check::agent
