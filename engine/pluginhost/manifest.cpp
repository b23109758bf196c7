#include "engine/pluginhost/manifest.hpp"

#include "engine/base/error.hpp"
#include "engine/base/files.hpp"

#include <algorithm>
#include <sys/stat.h>

#include <boost/json.hpp>

namespace paperclip::pluginhost {

namespace fs = std::filesystem;

namespace {

void check(const Manifest& manifest, const std::string& file) {
    const auto fail = [&](const std::string& what) {
        throw Error(ErrorKind::invalid, file + ": " + what);
    };
    if (!is_plugin_id(manifest.id)) {
        fail("id: expected lower-case letters, digits and dashes, found \"" + manifest.id + "\"");
    }
    const fs::path library(manifest.library);
    if (library != library.filename() || manifest.library.starts_with('.')) {
        fail("library: expected the name of a file in the plugin's own folder, found \"" +
             manifest.library + "\"");
    }
    if (manifest.isolation != "process" && manifest.isolation != "in-process") {
        fail("isolation: expected \"process\" or \"in-process\", found \"" + manifest.isolation +
             "\"");
    }
}

bool others_may_write(const fs::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) != 0 || (info.st_mode & S_IWOTH) != 0;
}

}  // namespace

bool is_plugin_id(std::string_view id) {
    return !id.empty() && id.front() != '-' && id.size() <= 64 &&
           std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

Manifest parse_manifest(std::string_view text, const std::string& file) {
    Problems problems;
    Manifest manifest;
    try {
        const auto value = parse_json(text);
        FieldSet present;
        FieldSet null;
        struct_of<Manifest>().read_members(JsonNode(value), &manifest, StructType::Purpose::create,
                                           false, present, null, problems);
    } catch (const Error& e) {
        throw Error(ErrorKind::invalid, file + ": " + e.message());
    }
    if (!problems.empty()) {
        const Problem& first = problems.list().front();
        std::string at;
        for (const auto& step : first.path) at += (at.empty() ? "" : ".") + step;
        throw Error(ErrorKind::invalid, file + ": " + at + ": " + first.message);
    }
    check(manifest, file);
    return manifest;
}

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
