#pragma once

#include "engine/app/places.hpp"
#include "engine/base/files.hpp"
#include "engine/pluginhost/storage_plugin.hpp"
#include "engine/storage/store.hpp"

#include <memory>
#include <vector>

namespace paperclip::app {

/// The storage plugin among `plugins`. Throws Error{unavailable} when there is none.
const pluginhost::Library& storage_library(const std::vector<pluginhost::FoundPlugin>& plugins);
/// The plugin's configuration for an instance.
std::string storage_config(const Places& places);

/// A name for a backup that is made at `now`.
std::filesystem::path new_backup_file(const Places& places, Time now);
/// Copies the store into `file`, which must not exist, and checks the copy. Throws
/// storage::StorageError.
void back_up(storage::Backend& backend, const pluginhost::Library& library,
             const std::filesystem::path& file);

/// The one claim on an instance's folder: held while this object lives, and gone with its process.
class FolderLock {
 public:
    /// Throws Error{conflict} when another engine holds it.
    explicit FolderLock(const Places& places);

 private:
    UniqueFd file_;
};

/// Replaces an instance's store by a backup, and keeps the replaced one: returns where, or nothing
/// when there was none. Throws Error{invalid, "invalid_backup"}, with the instance as it was, for
/// what is no whole backup or was made by a newer engine; Error{conflict} when an engine runs.
std::filesystem::path restore(const Places& places, const pluginhost::Library& library,
                              const std::filesystem::path& file, Time now);

/// An instance's store, with the schema of this program: older ones are migrated, after a snapshot
/// into its folder of backups.
class OpenedStore {
 public:
    /// Throws storage::StorageError for a store that is newer than this program.
    OpenedStore(const Places& places, const std::vector<pluginhost::FoundPlugin>& plugins);

    [[nodiscard]] storage::Store& store() { return store_; }
    [[nodiscard]] const pluginhost::Library& library() const { return library_; }

 private:
    FolderLock lock_;
    const pluginhost::Library& library_;
    pluginhost::StoragePlugin backend_;
    storage::Catalogue catalogue_;
    storage::Store store_;
};

}  // namespace paperclip::app
