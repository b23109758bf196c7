#include "engine/pluginhost/strays.hpp"

#include "engine/base/error.hpp"
#include "engine/base/files.hpp"

#include <csignal>
#include <cstdlib>
#include <dirent.h>
#include <poll.h>
#include <set>
#include <string>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace paperclip::pluginhost {
namespace {

constexpr std::size_t k_max_environment = 4 << 20;
constexpr int k_end_ms =
    2'000;  ///< a process in the kernel's hands, of a dead disk say, is not waited for longer

/// `variable` begins and ends with a NUL, as an entry of /proc/<pid>/environ does.
bool was_started_with(pid_t pid, const std::string& variable) {
    try {
        const std::string file = "/proc/" + std::to_string(pid) + "/environ";
        return ('\0' + read_file(file, k_max_environment)).find(variable) != std::string::npos;
    } catch (const Error&) {
        return false;  // gone, or another user's
    }
}

std::set<pid_t> find_strays(const std::string& variable) {
    std::set<pid_t> found;
    DIR* entries = ::opendir("/proc");
    if (entries == nullptr) return found;
    while (const dirent* entry = ::readdir(entries)) {
        const pid_t pid = static_cast<pid_t>(std::atoi(entry->d_name));
        if (pid > 0 && pid != ::getpid() && was_started_with(pid, variable)) found.insert(pid);
    }
    ::closedir(entries);
    return found;
}

void signal_stray(pid_t pid, const std::string& variable, int signal) {
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    // The pidfd holds the process: what we see of it after that is true of what the signal reaches.
    if (!process || !was_started_with(pid, variable)) return;
    ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
    pollfd ended{process.get(), POLLIN, 0};
    if (signal == SIGKILL) ::poll(&ended, 1, k_end_ms);
}

}  // namespace

int end_strays(std::string_view variable) {
    const std::string entry = '\0' + std::string(variable) + '\0';
    // A stopped process cannot fork: once a round finds nobody new, the list is complete.
    std::set<pid_t> all;
    for (bool is_new = true; is_new;) {
        is_new = false;
        for (const pid_t pid : find_strays(entry)) {
            if (!all.insert(pid).second) continue;
            is_new = true;
            signal_stray(pid, entry, SIGSTOP);
        }
    }
    for (const pid_t pid : all) signal_stray(pid, entry, SIGKILL);
    return static_cast<int>(all.size());
}

}  // namespace paperclip::pluginhost
