#pragma once

#include "engine/base/files.hpp"
#include "engine/pluginhost/children.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace paperclip::pluginhost {

/// The kernel that runs now; another one after each start of the machine.
const std::string& this_boot();
/// The process that has that pid now; nothing if none.
std::optional<ProcessIdentity> identify_process(std::int64_t pid);
/// Is the process still that process?
bool is_same_process(const ProcessIdentity& identity);
/// 0 when there is no such process.
std::int64_t parent_of(std::int64_t pid);

/// A pidfd: as long as it is held, what is seen of the pid is true of what a signal reaches, and it
/// can be read when the process has ended. Empty when there is no such process.
UniqueFd open_process(std::int64_t pid);
void signal_process(const UniqueFd& process, int signal);

}  // namespace paperclip::pluginhost
