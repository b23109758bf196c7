#include "engine/app/opened_store.hpp"

#include "engine/app/services.hpp"
#include "engine/base/log.hpp"
#include "engine/base/time.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>

namespace paperclip::app {

namespace fs = std::filesystem;

const pluginhost::Library& storage_library(const std::vector<pluginhost::FoundPlugin>& plugins) {
    for (const auto& plugin : plugins) {
        const auto& offered = plugin.manifest.interfaces;
        if (std::find(offered.begin(), offered.end(), PC_STORAGE_INTERFACE) != offered.end()) {
            return pluginhost::load(plugin);
        }
    }
    throw Error(ErrorKind::unavailable,
                "no storage plugin is installed: expected lib/paperclip/plugins/storage-sqlite "
                "beside this program's bin/ folder; build it, or name a folder with --plugins");
}

std::string storage_config(const Places& places) {
    std::string config;
    JsonWriter(config).begin_object().member("path", places.database().string()).end_object();
    return config;
}

fs::path new_backup_file(const Places& places, Time now) {
    make_private_folder(places.backups());
    std::string name = to_iso8601(now);
    std::replace(name.begin(), name.end(), ':', '-');
    return places.backups() / (name + ".db");
}

void back_up(storage::Backend& backend, const pluginhost::Library& library, const fs::path& file) {
    const auto must = [](const storage::Failure& failure) {
        if (failure.outcome != storage::Outcome::ok) {
            throw storage::StorageError(failure.outcome, failure.message);
        }
    };
    must(backend.backup(file));
    must(pluginhost::StoragePlugin::verify(library, file));
}

FolderLock::FolderLock(const Places& places) {
    make_private_folder(places.root);
    file_.reset(::open(places.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file_) {
        throw system_error(ErrorKind::unavailable, "cannot open " + places.lock().string(), errno);
    }
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
        throw Error(ErrorKind::conflict,
                    places.root.string() +
                        " is in use by another engine; stop that one, or "
                        "choose another folder with --data-dir",
                    "data_folder_in_use");
    }
}

OpenedStore::OpenedStore(const Places& places, const std::vector<pluginhost::FoundPlugin>& plugins)
    : lock_(places),
      library_(storage_library(plugins)),
      backend_(library_, storage_config(places)),
      catalogue_(backend_.dialect()),
      store_(backend_, catalogue_) {
    Services::add_sql(catalogue_);
    storage::migrate(backend_, catalogue_, [&](int from) {
        make_private_folder(places.backups());
        const fs::path file =
            places.backups() / ("before-migration-from-" + std::to_string(from) + ".db");
        std::error_code ignored;
        fs::remove(file, ignored);
        back_up(backend_, library_, file);
        log_info("store saved before its migration", {{"file", file.string()}});
    });
    catalogue_.publish(backend_);
}

}  // namespace paperclip::app
