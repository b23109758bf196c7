#include "engine/app/opened_store.hpp"

#include "engine/app/running_engine.hpp"
#include "engine/app/services.hpp"
#include "engine/base/log.hpp"
#include "engine/base/time.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>

namespace paperclip::app {

namespace fs = std::filesystem;

namespace {

void must(const storage::Failure& failure) {
    if (failure.outcome != storage::Outcome::ok) {
        throw storage::StorageError(failure.outcome, failure.message);
    }
}

std::string config_of(const fs::path& database) {
    std::string config;
    JsonWriter(config).begin_object().member("path", database.string()).end_object();
    return config;
}

/// As part of a file's name.
std::string stamp(Time now) {
    std::string text = to_iso8601(now);
    std::replace(text.begin(), text.end(), ':', '-');
    return text;
}

[[noreturn]] void refuse_backup(const fs::path& file, const std::string& why) {
    throw Error(ErrorKind::invalid,
                file.string() + " cannot be restored, the instance is as it was: " + why,
                "invalid_backup");
}

/// A folder that goes with whatever is in it.
struct PassingFolder {
    fs::path path;
    explicit PassingFolder(fs::path p) : path(std::move(p)) {
        fs::remove_all(path);
        make_private_folder(path);
    }
    ~PassingFolder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    PassingFolder(const PassingFolder&) = delete;
    PassingFolder& operator=(const PassingFolder&) = delete;
};

/// Only an open store says which schema it has, and a backup is not one yet: a copy becomes one.
void must_not_be_newer(const Places& places, const pluginhost::Library& library,
                       const fs::path& file) {
    const PassingFolder folder(places.root / "restore-check");
    const std::string config = config_of(folder.path / "store.db");
    must(pluginhost::StoragePlugin::restore(library, config, file));
    pluginhost::StoragePlugin copy(library, config);
    storage::Catalogue catalogue(copy.dialect());
    Services::add_sql(catalogue);
    try {
        storage::known_version(copy, catalogue);
    } catch (const storage::StorageError& e) {
        refuse_backup(file, e.message());
    }
}

}  // namespace

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
    return config_of(places.database());
}

fs::path new_backup_file(const Places& places, Time now) {
    make_private_folder(places.backups());
    return places.backups() / (stamp(now) + ".db");
}

void back_up(storage::Backend& backend, const pluginhost::Library& library, const fs::path& file) {
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
    withdraw_engine(places);
}

fs::path restore(const Places& places, const pluginhost::Library& library, const fs::path& file,
                 Time now) {
    const auto found = pluginhost::StoragePlugin::verify(library, file);
    if (found.outcome != storage::Outcome::ok) {
        refuse_backup(file, found.message + "; name another backup");
    }
    const FolderLock lock(places);
    must_not_be_newer(places, library, file);
    fs::path replaced;
    if (fs::exists(places.database())) {
        // A second name: the plugin brings the file to rest and puts the new one over the first.
        replaced = places.database().string() + ".replaced-" + stamp(now);
        fs::create_hard_link(places.database(), replaced);
    }
    const auto done = pluginhost::StoragePlugin::restore(library, storage_config(places), file);
    if (done.outcome != storage::Outcome::ok) {
        std::error_code ignored;
        if (!replaced.empty()) fs::remove(replaced, ignored);
        must(done);
    }
    return replaced;
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
