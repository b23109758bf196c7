#pragma once

#include "engine/base/described.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace paperclip::pluginhost {

/// What a plugin's plugin.json says: enough to know what it offers and needs without loading code.
struct Manifest {
    std::string id;
    std::string version;
    std::string abi;  ///< "MAJOR.MINOR" of the headers it was built with
    std::string description;
    std::string library;  ///< file name, in the plugin's own folder
    std::vector<std::string> interfaces;
    std::vector<std::string> adapter_types;
    std::vector<std::string> actions;   ///< what an agent plugin asks the host to do
    std::vector<std::string> services;  ///< what other plugins ask of the host
    std::string isolation = "process";
};
BOOST_DESCRIBE_STRUCT(Manifest, (),
                      (id, version, abi, description, library, interfaces, adapter_types, actions,
                       services, isolation))

/// A plugin's folder and its manifest.
struct FoundPlugin {
    std::filesystem::path folder;
    Manifest manifest;
    [[nodiscard]] std::filesystem::path library_path() const { return folder / manifest.library; }
};

/// Can a plugin be called that: 1 to 64 lower-case letters, digits and dashes, no dash in front?
bool is_plugin_id(std::string_view id);

/// Reads a manifest. Throws Error{invalid} that names the file, the field and what was expected.
Manifest parse_manifest(std::string_view text, const std::string& file);

/// The plugin in `folder`, which has the plugin's name. Throws Error{invalid, not_found} for one
/// that cannot be read, or could be replaced by other users.
FoundPlugin read_plugin(const std::filesystem::path& folder);

/// The plugins in `folders`, by id; the first folder that has an id wins. A folder of plugins holds
/// one folder a plugin. What read_plugin() refuses is left out with the reason in `problems`.
std::vector<FoundPlugin> find_plugins(const std::vector<std::filesystem::path>& folders,
                                      std::vector<std::string>& problems);

}  // namespace paperclip::pluginhost

template <>
struct paperclip::Rules<paperclip::pluginhost::Manifest> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"id", {.required = true, .min = 1, .max = 64}},
        {"version", {.required = true, .min = 1, .max = 64}},
        {"abi", {.required = true, .min = 3, .max = 16}},
        {"library", {.required = true, .min = 1, .max = 128}},
        {"interfaces", {.required = true, .min = 1}},
    });
};
