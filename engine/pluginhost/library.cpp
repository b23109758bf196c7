#include "engine/pluginhost/library.hpp"

#include "engine/base/error.hpp"
#include "engine/base/log.hpp"

#include <charconv>
#include <map>
#include <mutex>

#include <boost/dll/library_info.hpp>
#include <boost/dll/shared_library.hpp>

namespace paperclip::pluginhost {
namespace {

constexpr const char* k_symbol = "paperclip_plugin_v1";

std::string_view view(pc_str text) {
    return {text.data, text.size};
}

void log_from_plugin(void*, std::int32_t level, pc_str message) {
    const auto known = level >= PC_LOG_DEBUG && level <= PC_LOG_ERROR;
    log(known ? static_cast<LogLevel>(level) : LogLevel::info, "plugin says",
        {{"message", view(message)}});
}

const void* no_service(void*, pc_str) {
    return nullptr;
}

constexpr pc_host k_host = {sizeof(pc_host), PC_ABI_MAJOR,    PC_ABI_MINOR,
                            nullptr,         log_from_plugin, no_service};

/// The libraries of this process. Never destroyed: shared_library would unmap code that threads,
/// thread-locals and pointers still need.
struct Registry {
    struct Entry {
        boost::dll::shared_library handle;
        std::unique_ptr<Library> library;
    };
    std::mutex mutex;
    std::map<std::filesystem::path, Entry> by_path;
};
Registry& registry() {
    static auto* const instance = new Registry;
    return *instance;
}

[[noreturn]] void refuse(const FoundPlugin& found, const std::string& why) {
    throw Error(ErrorKind::unavailable,
                "plugin " + found.manifest.id + " (" + found.library_path().string() + "): " + why);
}

/// Says which other version a library without our symbol was made for, without running its code.
std::string explain_missing_symbol(const std::filesystem::path& path) {
    try {
        boost::dll::library_info info(path);
        for (const std::string& symbol : info.symbols()) {
            if (symbol.starts_with("paperclip_plugin_v")) {
                return "it exports " + symbol + ", this engine looks for " + k_symbol +
                       "; install a build of the plugin for plugin ABI " +
                       std::to_string(PC_ABI_MAJOR) + "." + std::to_string(PC_ABI_MINOR);
            }
        }
    } catch (const std::exception&) {
        return "it is no shared library that this machine can read";
    }
    return std::string("it does not export ") + k_symbol +
           "; a plugin is built with PAPERCLIP_PLUGIN or a function of that name";
}

const pc_plugin* entry_of(const FoundPlugin& found, boost::dll::shared_library& handle) {
    if (!handle.has(k_symbol)) refuse(found, explain_missing_symbol(found.library_path()));
    const pc_plugin* plugin = handle.get<const pc_plugin*()>(k_symbol)();
    if (!PC_HAS(plugin, pc_plugin, interface_of) || plugin->interface_of == nullptr ||
        plugin->init == nullptr || plugin->deinit == nullptr) {
        refuse(found, "its plugin table is incomplete");
    }
    if (plugin->abi_major != PC_ABI_MAJOR) {
        refuse(found, "its code was built for plugin ABI " + std::to_string(plugin->abi_major) +
                          ", this engine speaks " + std::to_string(PC_ABI_MAJOR) +
                          "; rebuild the plugin with this engine's SDK");
    }
    if (view(plugin->id) != found.manifest.id || view(plugin->version) != found.manifest.version) {
        refuse(found, "its code says it is " + std::string(view(plugin->id)) + " " +
                          std::string(view(plugin->version)) + ", its plugin.json says " +
                          found.manifest.id + " " + found.manifest.version +
                          "; install the two files of one build");
    }
    return plugin;
}

}  // namespace

std::string abi_mismatch(const Manifest& manifest) {
    int major = -1;
    const char* const end = manifest.abi.data() + manifest.abi.size();
    const auto [at, error] = std::from_chars(manifest.abi.data(), end, major);
    if (error == std::errc{} && at != end && *at == '.' && major == PC_ABI_MAJOR) return {};
    const std::string ours = std::to_string(PC_ABI_MAJOR) + "." + std::to_string(PC_ABI_MINOR);
    const bool newer = major > PC_ABI_MAJOR;
    return "built for plugin ABI " + manifest.abi + ", this engine speaks " + ours + "; " +
           (newer ? "upgrade the engine, or install a build of the plugin for ABI " + ours
                  : "install a newer build of the plugin");
}

const Library& load(const FoundPlugin& found) {
    if (const auto mismatch = abi_mismatch(found.manifest); !mismatch.empty()) {
        refuse(found, mismatch);
    }
    auto& all = registry();
    const std::lock_guard lock(all.mutex);
    if (const auto known = all.by_path.find(found.library_path()); known != all.by_path.end()) {
        return *known->second.library;
    }
    Registry::Entry entry;
    boost::dll::fs::error_code error;
    entry.handle.load(found.library_path().string(),
                      boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local, error);
    if (error) refuse(found, "it cannot be loaded: " + error.message());
    const pc_plugin* plugin = entry_of(found, entry.handle);
    pc_error failure{};
    failure.struct_size = sizeof failure;
    if (plugin->init(&k_host, &failure) != PC_OK) {
        refuse(found, std::string("its init failed: ") + failure.message);
    }
    entry.library.reset(new Library(found, plugin));
    const Library& library = *entry.library;
    all.by_path.emplace(found.library_path(), std::move(entry));
    return library;
}

}  // namespace paperclip::pluginhost
