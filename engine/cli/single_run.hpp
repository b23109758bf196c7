#pragma once

#include "engine/cli/client.hpp"

#include <string>

namespace paperclip::cli {

/// A run of an agent that is made for it.
struct SingleRun {
    std::string adapter;  ///< type of the backend
    std::string config = "{}";
    std::string budget = "$1";
    std::string task;  ///< text of the issue that it is for; empty: a heartbeat without an issue
};

/// Makes agent and issue, in a company that is kept for that, and wakes the agent. Returns the
/// run's id. Throws Error for what cannot be read, and for what the engine refuses.
std::string begin_single_run(Client& client, const SingleRun& single);

}  // namespace paperclip::cli
