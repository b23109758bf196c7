#include "engine/app/places.hpp"

#include "engine/base/error.hpp"

#include <algorithm>
#include <cstdlib>
#include <pwd.h>
#include <unistd.h>

namespace paperclip::app {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name, std::string otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : std::move(otherwise);
}

fs::path home() {
    if (const auto home = environment("HOME", ""); !home.empty()) return home;
    const passwd* user = ::getpwuid(::geteuid());
    if (user != nullptr) return user->pw_dir;
    throw Error(ErrorKind::invalid, "no home folder is known: set PAPERCLIP_HOME or --data-dir");
}

}  // namespace

fs::path default_data_folder() {
    const std::string root = environment("PAPERCLIP_HOME", "");
    const std::string instance = environment("PAPERCLIP_INSTANCE_ID", "default");
    const bool is_name = std::all_of(instance.begin(), instance.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '-';
    });
    if (!is_name) {
        throw Error(ErrorKind::invalid, "PAPERCLIP_INSTANCE_ID: expected letters, digits, _ and -");
    }
    return (root.empty() ? home() / ".paperclip" : fs::path(root)) / "instances" / instance;
}

Installation Installation::of_this_program() {
    const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
    return {folder / "paperclip-shim", folder.parent_path() / "lib/paperclip/plugins"};
}

}  // namespace paperclip::app
