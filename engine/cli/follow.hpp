#pragma once

#include "engine/cli/client.hpp"

#include <string>

namespace paperclip::cli {

/// Prints a run's log as it grows until the run has ended; with `as_json` only the run, at the end.
/// Returns whether it succeeded.
bool follow_run(Client& client, const std::string& run, bool as_json);

}  // namespace paperclip::cli
