#include "engine/base/error.hpp"
#include "engine/base/files.hpp"
#include "engine/pluginhost/manifest.hpp"

#include <algorithm>
#include <sys/stat.h>

namespace paperclip::pluginhost {

namespace fs = std::filesystem;

namespace {

bool others_may_write(const fs::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) != 0 || (info.st_mode & S_IWOTH) != 0;
}

}  // namespace

FoundPlugin read_plugin(const fs::path& folder) {
    const std::string file = (folder / "plugin.json").string();
    FoundPlugin plugin{folder, parse_manifest(read_file(file, 1 << 20), file)};
    if (plugin.manifest.id != folder.filename()) {
        throw Error(ErrorKind::invalid, file + ": id: expected the folder's name \"" +
                                            folder.filename().string() + "\", found \"" +
                                            plugin.manifest.id + "\"");
    }
    if (!fs::exists(plugin.library_path())) {
        throw Error(ErrorKind::not_found, file + ": library: there is no " +
                                              plugin.library_path().string() +
                                              "; build the plugin first");
    }
    if (others_may_write(folder) || others_may_write(plugin.library_path())) {
        throw Error(ErrorKind::invalid, folder.string() +
                                            ": every user may write here, so anybody could replace "
                                            "the plugin; run chmod -R o-w on it");
    }
    return plugin;
}

std::vector<FoundPlugin> find_plugins(const std::vector<fs::path>& folders,
                                      std::vector<std::string>& problems) {
    std::vector<FoundPlugin> found;
    for (const auto& folder : folders) {
        std::error_code error;
        std::vector<fs::path> candidates;
        for (const auto& entry : fs::directory_iterator(folder, error)) {
            if (fs::exists(entry.path() / "plugin.json")) candidates.push_back(entry.path());
        }
        std::sort(candidates.begin(), candidates.end());
        for (const auto& candidate : candidates) {
            try {
                FoundPlugin plugin = read_plugin(candidate);
                const bool shadowed =
                    std::any_of(found.begin(), found.end(), [&](const FoundPlugin& other) {
                        return other.manifest.id == plugin.manifest.id;
                    });
                if (!shadowed) found.push_back(std::move(plugin));
            } catch (const Error& e) {
                problems.push_back(e.message());
            }
        }
    }
    return found;
}

}  // namespace paperclip::pluginhost
