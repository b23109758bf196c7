#pragma once

#include <sys/types.h>
#include <vector>

namespace paperclip::shim {

/// All living descendants of `root`, whatever session or group they put themselves in. Zombies are
/// left out: they hold nothing.
std::vector<pid_t> descendants(pid_t root);

/// Sends `signal` to all descendants of `root`. To kill, they are first stopped until no new ones
/// appear, so that nobody forks away meanwhile. Returns how many there were.
int signal_descendants(pid_t root, int signal);

}  // namespace paperclip::shim
