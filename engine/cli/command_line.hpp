#pragma once

#include "engine/app/engine.hpp"
#include "engine/base/error.hpp"

#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

namespace paperclip::cli {

/// What the program says to who called it, see engine/cli/README.md.
enum class Exit : int {
    ok = 0,
    failed = 1,       ///< the engine refused, a run failed, a check found something
    usage = 2,        ///< the command line, a file or a value makes no sense
    differs = 3,      ///< plan: there are changes; drift: there is drift
    unreachable = 4,  ///< no engine answers, or the instance is in use
    internal = 70,    ///< a bug
};

/// What every command may be told.
struct Common {
    bool json = false;  ///< answer as one JSON document on standard output
    std::string api_url = "http://127.0.0.1:3100";
    std::filesystem::path data_dir;  ///< empty: app::default_data_folder()
    std::vector<std::filesystem::path> plugin_folders;

    [[nodiscard]] app::Places places() const;
    [[nodiscard]] std::vector<std::filesystem::path> all_plugin_folders() const;
};

/// `text` for a terminal: what it might take for an order to itself (ESC and other control
/// characters) stands there as \xNN.
std::string printable(std::string_view text);

/// The program: parses the arguments, runs the command, returns its exit code. Never throws.
int run(int argc, char** argv);

/// Commands say how they ended by this.
using Finish = std::function<void(Exit)>;

// A file a group of commands; each adds its own to `app`.
void add_run(CLI::App& app, Common& common, const Finish& finish);
void add_company(CLI::App& app, Common& common, const Finish& finish);
void add_init(CLI::App& app, Common& common, const Finish& finish);
void add_do(CLI::App& app, Common& common, const Finish& finish);
void add_heartbeat(CLI::App& app, Common& common, const Finish& finish);
void add_plugin(CLI::App& app, Common& common, const Finish& finish);
void add_backup(CLI::App& app, Common& common, const Finish& finish);
void add_doctor(CLI::App& app, Common& common, const Finish& finish);

}  // namespace paperclip::cli
