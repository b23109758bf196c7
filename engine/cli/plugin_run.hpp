#pragma once

#include "engine/cli/command_line.hpp"
#include "engine/cli/single_run.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace paperclip::cli {

/// One heartbeat of a plugin's agent.
struct PluginRun {
    std::filesystem::path plugin;  ///< its folder, or a file in it
    SingleRun single;
    std::filesystem::path input;  ///< the task, instead of `single.task`; "-": standard input
    std::vector<std::string> allowed_addresses;
};

/// Runs it through an engine of our own in a folder that is gone afterwards, so with the host, the
/// shim and the rules of any other run. SIGINT and SIGTERM cancel the run. Prints the run's log,
/// its usage and its result.
void run_plugin(const Common& common, PluginRun options, const Finish& finish);

}  // namespace paperclip::cli
