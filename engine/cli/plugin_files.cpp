#include "engine/cli/plugin_files.hpp"

#include "engine/base/error.hpp"
#include "engine/pluginhost/manifest.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>
#include <vector>

namespace paperclip::cli {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::pair<std::string, std::string>>;

/// `text` with each of the names replaced by its new one; what was put in is not looked at again.
std::string renamed(std::string_view text, const Names& names) {
    std::string out;
    while (!text.empty()) {
        const auto found = std::find_if(names.begin(), names.end(), [&](const auto& name) {
            return text.starts_with(name.first);
        });
        out += found == names.end() ? std::string(text.substr(0, 1)) : found->second;
        text.remove_prefix(found == names.end() ? 1 : found->first.size());
    }
    return out;
}

std::string with_underscores(std::string text) {
    std::replace(text.begin(), text.end(), '-', '_');
    return text;
}

void write_new_file(const fs::path& file, const std::string& text) {
    std::ofstream out(file, std::ios::binary);
    out << text << std::flush;
    if (!out) throw system_error(ErrorKind::unavailable, "cannot write " + file.string(), errno);
}

void make_new_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder.parent_path(), error);
    if (!error && fs::create_directory(folder, error)) return;
    if (fs::exists(fs::symlink_status(folder))) {
        throw Error(ErrorKind::conflict, folder.string() +
                                             " exists already and is left as it is; choose another "
                                             "name, or another folder with --output");
    }
    throw system_error(ErrorKind::unavailable, "cannot make " + folder.string(), error.value());
}

}  // namespace

fs::path write_new_plugin(const std::string& name, const std::string& language,
                          const fs::path& parent) {
    if (!pluginhost::is_plugin_id(name)) {
        throw Error(ErrorKind::invalid,
                    "NAME: expected lower-case letters, digits and dashes, at most 64 of them and "
                    "no dash at the front, such as agent-hello; found \"" +
                        name + "\"");
    }
    const std::string example = "echo-" + language;
    const Names names{{example, name},
                      {with_underscores(example), with_underscores(name)},
                      {language == "c" ? "Echo in C" : "Echo in C++", name},
                      {"echo." + language, name + "." + language}};
    fs::path folder = fs::absolute(parent / name).lexically_normal();
    make_new_folder(folder);
    for (const auto& file : example_files()) {
        if (!file.path.starts_with(example + "/")) continue;
        const auto path = renamed(file.path.substr(example.size() + 1), names);
        write_new_file(folder / path, renamed(file.text, names));
    }
    return folder;
}

}  // namespace paperclip::cli
