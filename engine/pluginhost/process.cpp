#include "engine/pluginhost/process.hpp"

#include "engine/base/error.hpp"

#include <cstdlib>
#include <sys/syscall.h>
#include <unistd.h>

namespace paperclip::pluginhost {
namespace {

/// /proc/<pid>/stat from the third field, the state, on; empty when there is no such process. The
/// name before it may hold anything, parentheses too; the fields after it are words without spaces.
std::string read_stat(std::int64_t pid) {
    try {
        std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
        const auto name_end = stat.rfind(')');
        return name_end == std::string::npos ? "" : stat.substr(name_end + 2);
    } catch (const Error&) {
        return "";
    }
}

/// By the number that proc(5) gives it.
std::int64_t field_of(const std::string& stat, int number) {
    std::size_t at = 0;
    for (int field = 3; field < number; ++field) at = stat.find(' ', at) + 1;
    return std::atoll(stat.c_str() + at);
}

}  // namespace

const std::string& this_boot() {
    static const std::string id = [] {
        std::string text = read_file("/proc/sys/kernel/random/boot_id", 100);
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text;
    }();
    return id;
}

std::optional<ProcessIdentity> identify_process(std::int64_t pid) {
    const std::string stat = read_stat(pid);
    if (stat.empty() || stat[0] == 'Z' || stat[0] == 'X') return std::nullopt;
    return ProcessIdentity{pid, field_of(stat, 22), this_boot()};
}

bool is_same_process(const ProcessIdentity& identity) {
    if (identity.boot_id != this_boot()) return false;
    const auto now = identify_process(identity.pid);
    return now && now->start_ticks == identity.start_ticks;
}

std::int64_t parent_of(std::int64_t pid) {
    const std::string stat = read_stat(pid);
    return stat.empty() ? 0 : field_of(stat, 4);
}

UniqueFd open_process(std::int64_t pid) {
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)));
}

void signal_process(const UniqueFd& process, int signal) {
    ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
}

}  // namespace paperclip::pluginhost
