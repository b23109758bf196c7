#include "engine/pluginhost/strays.hpp"

#include "engine/base/error.hpp"
#include "engine/base/files.hpp"
#include "engine/pluginhost/process.hpp"

#include <csignal>
#include <cstdlib>
#include <dirent.h>
#include <poll.h>
#include <set>
#include <string>
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

/// What a stray is told by.
struct Mark {
    std::string variable;  // begins and ends with a NUL
    std::filesystem::path shim;
};

/// We start nothing but shims (which are us until they are executed), and adopt the orphans of
/// those that were killed: see PR_SET_CHILD_SUBREAPER.
bool was_adopted(pid_t pid, const Mark& mark) {
    if (parent_of(pid) != ::getpid()) return false;
    const std::string program = "/proc/" + std::to_string(pid) + "/exe";
    std::error_code error;
    if (!std::filesystem::exists(program, error)) return false;  // it has ended
    const auto is = [&](const std::filesystem::path& other) {
        return std::filesystem::equivalent(program, other, error) || error;
    };
    return !is(mark.shim) && !is("/proc/self/exe");
}

bool is_stray(pid_t pid, const Mark& mark) {
    return was_started_with(pid, mark.variable) || was_adopted(pid, mark);
}

std::set<pid_t> find_strays(const Mark& mark) {
    std::set<pid_t> found;
    DIR* entries = ::opendir("/proc");
    if (entries == nullptr) return found;
    while (const dirent* entry = ::readdir(entries)) {
        const pid_t pid = static_cast<pid_t>(std::atoi(entry->d_name));
        if (pid > 0 && pid != ::getpid() && is_stray(pid, mark)) found.insert(pid);
    }
    ::closedir(entries);
    return found;
}

void signal_stray(pid_t pid, const Mark& mark, int signal) {
    const UniqueFd process = open_process(pid);
    if (!process || !is_stray(pid, mark)) return;
    signal_process(process, signal);
    pollfd ended{process.get(), POLLIN, 0};
    if (signal == SIGKILL) ::poll(&ended, 1, k_end_ms);
}

}  // namespace

int end_strays(std::string_view variable, const std::filesystem::path& shim) {
    const Mark mark{'\0' + std::string(variable) + '\0', shim};
    // A stopped process cannot fork: once a round finds nobody new, the list is complete. Children
    // of a killed stray come to us, and are found by the next round.
    std::set<pid_t> all;
    for (bool is_new = true; is_new;) {
        is_new = false;
        std::set<pid_t> round;
        for (const pid_t pid : find_strays(mark)) {
            if (!all.insert(pid).second) continue;
            round.insert(pid);
            is_new = true;
            signal_stray(pid, mark, SIGSTOP);
        }
        for (const pid_t pid : round) signal_stray(pid, mark, SIGKILL);
    }
    return static_cast<int>(all.size());
}

}  // namespace paperclip::pluginhost
