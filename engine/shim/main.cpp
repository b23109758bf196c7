// The run shim: one small process for each live run. It starts the agent's program when the engine
// says go, keeps what it prints, bounds its life, and leaves a note of how it ended; so a run
// outlives the engine and loses nothing with it. Then it waits for another run: to start a process
// costs more than all else about a short run. Started by the engine with a socket as descriptor 3,
// and gone when that is closed and its run has ended. No threads, no exceptions, statically linked.

#include "engine/pluginhost/shim_protocol.hpp"
#include "engine/shim/supervise.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace paperclip::shim {
namespace {

bool read_exactly(int fd, char* to, std::size_t size) {
    while (size > 0) {
        const ssize_t n = ::read(fd, to, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        to += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

std::optional<Spec> read_spec(std::string& folder) {
    std::uint32_t size = 0;
    if (!read_exactly(k_socket, reinterpret_cast<char*>(&size), sizeof size)) return std::nullopt;
    std::string body(size, '\0');
    if (!read_exactly(k_socket, body.data(), size)) return std::nullopt;
    return decode(body, folder);
}

/// As far as this kernel has it, and lets us.
void set(const char* path, std::string_view word) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    static_cast<void>(!::write(fd, word.data(), word.size()));
    ::close(fd);
}

/// The kernel should take the agent before the engine when memory runs out.
void volunteer_for_oom_killer() {
    set("/proc/self/oom_score_adj", "500");
}

/// Whatever the program computes, the engine goes on answering: an order to stop must get through.
/// Where the kernel shares the processor out by session (sched(7), autogroup), only the session's
/// niceness counts; elsewhere only the process's.
void give_way_to_engine() {
    constexpr int k_niceness = 5;
    set("/proc/self/autogroup", "5");
    static_cast<void>(::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + k_niceness));
}

/// Orders come as signals; each run reads its own from a descriptor.
sigset_t orders() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP}) {
        ::sigaddset(&set, signal);
    }
    return set;
}

/// What came too late for the last run is not meant for the next one.
void forget_orders() {
    const sigset_t set = orders();
    const timespec now{};
    while (::sigtimedwait(&set, nullptr, &now) > 0) {
    }
}

/// One run, from its specification to the note of how it ended; false when it was the last one.
bool serve() {
    std::string folder;
    const auto spec = read_spec(folder);
    if (!spec || spec->argv.empty() || ::chdir(folder.c_str()) != 0) return false;
    forget_orders();
    if (::write(k_socket, &k_ready, 1) != 1) return false;
    // The engine stores our pid before it says go. If it dies instead, nothing has happened.
    char answer = 0;
    if (!read_exactly(k_socket, &answer, 1) || answer != k_go) return false;
    // Whatever the engine believes, one folder's program is executed once.
    const int output =
        ::open(k_output_file, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    return output >= 0 && supervise(*spec, output, orders()) && ::chdir("/") == 0 &&
           ::write(k_socket, &k_free, 1) == 1;
}

/// Whether there is another run soon. A shim that never had one waits for as long as its engine.
bool is_wanted() {
    constexpr int k_patience_ms = 30'000;
    pollfd engine{k_socket, POLLIN, 0};
    return ::poll(&engine, 1, k_patience_ms) == 1;
}

void run() {
    ::setsid();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::signal(SIGPIPE, SIG_IGN);
    const sigset_t blocked = orders();
    ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
    ::fcntl(k_socket, F_SETFD, FD_CLOEXEC);
    volunteer_for_oom_killer();
    give_way_to_engine();
    while (serve() && is_wanted()) {
    }
}

}  // namespace
}  // namespace paperclip::shim

// Nothing is thrown here, but what the library links for it takes memory at every start (its pool
// for exceptions when there is no other memory): a fifth of the shim's cost.
extern "C" {
void* __cxa_allocate_exception(std::size_t) noexcept {
    std::abort();
}
void __cxa_free_exception(void*) noexcept {}
}

int main() {
    // There is nothing to flush, and exit() would touch memory that is not there yet.
    paperclip::shim::run();
    ::_exit(0);
}
