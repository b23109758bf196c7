#pragma once

#include "engine/base/json.hpp"
#include "engine/pluginhost/storage_plugin.hpp"
#include "engine/storage/store.hpp"
#include "tests/support/temp_folder.hpp"

#include <memory>
#include <string>
#include <vector>

namespace paperclip::test {

/// The SQLite storage plugin, loaded as the engine loads it from the build folder.
inline const pluginhost::Library& sqlite_library() {
    std::vector<std::string> problems;
    for (const auto& found : pluginhost::find_plugins({PAPERCLIP_TEST_PLUGINS}, problems)) {
        if (found.manifest.id == "storage-sqlite") return pluginhost::load(found);
    }
    throw Error(ErrorKind::not_found, "storage-sqlite is not built");
}

inline std::string sqlite_config(const std::filesystem::path& file) {
    std::string config;
    JsonWriter(config).begin_object().member("path", file.string()).end_object();
    return config;
}

}  // namespace paperclip::test
