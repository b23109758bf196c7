#pragma once

#include <filesystem>
#include <string>

namespace paperclip::app {

/// The files of an instance: all of them below one folder, readable by its owner only.
struct Places {
    std::filesystem::path root;

    [[nodiscard]] std::filesystem::path database() const { return root / "paperclip.db"; }
    [[nodiscard]] std::filesystem::path lock() const { return root / "engine.lock"; }
    /// Where the running engine answers: see running_engine.hpp.
    [[nodiscard]] std::filesystem::path engine() const { return root / "engine.json"; }
    [[nodiscard]] std::filesystem::path token_secret() const { return root / "secrets/run-tokens"; }
    [[nodiscard]] std::filesystem::path backups() const { return root / "backups"; }
    [[nodiscard]] std::filesystem::path runs() const { return root / "runs"; }
    [[nodiscard]] std::filesystem::path logs() const { return root / "logs"; }
    [[nodiscard]] std::filesystem::path workspaces() const { return root / "workspaces"; }
    [[nodiscard]] std::filesystem::path instructions() const { return root / "instructions"; }
    [[nodiscard]] std::filesystem::path projects() const { return root / "projects"; }
};

/// Where an engine keeps its files unless it is told: $PAPERCLIP_HOME, else ~/.paperclip, and in it
/// the instance $PAPERCLIP_INSTANCE_ID, else `default`. Throws Error{invalid} for a name that is no
/// folder's.
std::filesystem::path default_data_folder();

/// What came with this program: the shim beside it, and the folder of the plugins.
struct Installation {
    std::filesystem::path shim;
    std::filesystem::path plugins;
    static Installation of_this_program();
};

}  // namespace paperclip::app
