#pragma once

#include "engine/pluginhost/library.hpp"
#include "engine/storage/backend.hpp"

#include <filesystem>
#include <paperclip/draft/storage.h>
#include <string>

namespace paperclip::pluginhost {

/// A storage plugin's open store as a Backend. Thread-safe; closing it answers what is still
/// queued.
class StoragePlugin final : public storage::Backend {
 public:
    /// Opens, or creates, the store that `config` (JSON) names. Throws storage::StorageError, or
    /// Error{unavailable} when the plugin offers no paperclip.storage/1.
    StoragePlugin(const Library& library, const std::string& config);
    /// For a storage that stands in the program itself (the tests' lossy one).
    StoragePlugin(const pc_storage& table, const std::string& config);
    ~StoragePlugin() override;
    StoragePlugin(const StoragePlugin&) = delete;
    StoragePlugin& operator=(const StoragePlugin&) = delete;

    [[nodiscard]] std::string_view dialect() const override;
    storage::Failure catalogue(std::span<const storage::StatementText> statements) override;
    void submit(storage::UnitRequest& unit) override;
    storage::Failure query(const storage::QueryRequest& query) override;
    storage::Failure exec_script(std::string_view script) override;
    storage::Failure checkpoint() override;
    storage::Failure health(std::string& out) override;
    storage::Failure backup(const std::filesystem::path& path) override;

    static storage::Failure verify(const Library& library, const std::filesystem::path& path);
    static storage::Failure restore(const Library& library, const std::string& config,
                                    const std::filesystem::path& path);

 private:
    const pc_storage& table_;
    pc_store* store_ = nullptr;
};

}  // namespace paperclip::pluginhost
