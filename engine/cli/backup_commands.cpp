#include "engine/app/opened_store.hpp"
#include "engine/app/running_engine.hpp"
#include "engine/cli/client.hpp"
#include "engine/cli/command_line.hpp"

#include <ctime>
#include <memory>

#include <boost/json.hpp>

namespace paperclip::cli {
namespace {

namespace fs = std::filesystem;

struct BackupOptions {
    fs::path file;
};

const pluginhost::Library& storage_of(const Common& common) {
    std::vector<std::string> problems;
    return app::storage_library(pluginhost::find_plugins(common.all_plugin_folders(), problems));
}

void say_written(const Common& common, const fs::path& file) {
    std::string text = "written and verified: " + file.string();
    if (common.json) {
        text.clear();
        JsonWriter(text).begin_object().member("file", file.string()).end_object();
    }
    std::printf("%s\n", text.c_str());
}

/// Of an instance that nobody runs.
void back_up_here(const Common& common, const fs::path& file) {
    const app::FolderLock lock(common.places());
    if (!fs::exists(common.places().database())) {
        throw Error(ErrorKind::not_found, common.places().root.string() + " holds no instance");
    }
    const auto& library = storage_of(common);
    pluginhost::StoragePlugin store(library, app::storage_config(common.places()));
    app::back_up(store, library, file);
}

void back_up(const Common& common, const BackupOptions& options) {
    const fs::path file = options.file.empty()
                              ? app::new_backup_file(common.places(), SystemClock().now())
                              : fs::absolute(options.file);
    if (fs::exists(file)) {
        throw Error(ErrorKind::conflict, file.string() + " exists; name another file");
    }
    try {
        back_up_here(common, file);
    } catch (const Error& e) {
        if (e.code() != "data_folder_in_use") throw;
        // An engine runs on it: that one makes the backup, while it works. Not the one of
        // --api-url, which may be another instance's.
        boost::json::object body{{"file", file.string()}};
        Client(app::url_of_engine(common.places()), "").post("/instance/database-backups", body);
    }
    say_written(common, file);
}

void restore(const Common& common, const BackupOptions& options) {
    const auto replaced = app::restore(common.places(), storage_of(common),
                                       fs::absolute(options.file), SystemClock().now());
    std::string text;
    if (common.json) {
        JsonWriter w(text);
        w.begin_object().member("ok", true);
        if (!replaced.empty()) w.member("replaced", replaced.string());
        w.end_object();
    } else {
        text = "restored; start the engine with `run`";
        if (!replaced.empty()) text += "; the store that was there is " + replaced.string();
    }
    std::printf("%s\n", text.c_str());
}

}  // namespace

void add_backup(CLI::App& app, Common& common, const Finish&) {
    auto options = std::make_shared<BackupOptions>();
    auto* backup = app.add_subcommand("backup", "Write a verified copy of the instance's store");
    backup->add_option("file", options->file, "Where to (default: a new file in its backups)");
    backup->callback([&common, options] { back_up(common, *options); });
    auto* command = app.add_subcommand("restore", "Replace the instance's store by a backup");
    command->add_option("file", options->file, "The backup")->required();
    command->callback([&common, options] { restore(common, *options); });
}

}  // namespace paperclip::cli
