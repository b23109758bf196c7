#pragma once

#include "engine/app/engine.hpp"
#include "engine/base/files.hpp"
#include "engine/cli/client.hpp"

#include <sys/types.h>

namespace paperclip::cli {

/// An engine for commands that need one for as long as they last, on a free port. It is a process
/// of its own: to its own process an engine listens as to an agent, because the requests that it
/// makes for agents come from there. It ends when this object goes, and when this process does.
class OwnEngine {
 public:
    /// `options` but for the port. What the engine has to say goes to the log from `level` on.
    /// Throws what app::Engine does. Called while this process has one thread.
    OwnEngine(const app::EngineOptions& options, LogLevel level);
    /// Leaves live runs to their shims.
    ~OwnEngine();
    OwnEngine(const OwnEngine&) = delete;
    OwnEngine& operator=(const OwnEngine&) = delete;

    /// Of the board, whatever key the environment has for another engine.
    [[nodiscard]] Client client() const;

 private:
    UniqueFd life_;  ///< the engine stops when it is closed
    pid_t process_ = -1;
    std::string api_url_;
};

}  // namespace paperclip::cli
