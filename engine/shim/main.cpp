// The run shim: one small process a run. It starts the agent's program when the engine says go,
// keeps what it prints, bounds its life, and leaves a note of how it ended; so a run outlives the
// engine and loses nothing with it. Started by the engine with the run's folder as current folder
// and a socket as descriptor 3. No threads, no exceptions, statically linked: it costs about a
// millisecond.

#include "engine/pluginhost/shim_protocol.hpp"
#include "engine/shim/supervise.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
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

std::optional<Spec> read_spec() {
    std::uint32_t size = 0;
    if (!read_exactly(k_socket, reinterpret_cast<char*>(&size), sizeof size)) return std::nullopt;
    std::string body(size, '\0');
    if (!read_exactly(k_socket, body.data(), size)) return std::nullopt;
    return decode(body);
}

/// The kernel should take the agent before the engine when memory runs out.
void volunteer_for_oom_killer() {
    const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    static_cast<void>(!::write(fd, "500", 3));
    ::close(fd);
}

/// Whatever the program computes, the engine goes on answering: an order to stop must get through.
void give_way_to_engine() {
    constexpr int k_niceness = 5;
    static_cast<void>(::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + k_niceness));
}

int run() {
    ::setsid();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::signal(SIGPIPE, SIG_IGN);
    volunteer_for_oom_killer();
    give_way_to_engine();
    const auto spec = read_spec();
    if (!spec || spec->argv.empty()) return 2;
    if (::write(k_socket, &k_ready, 1) != 1) return 2;
    // The engine stores our pid before it says go. If it dies instead, nothing has happened.
    char answer = 0;
    if (!read_exactly(k_socket, &answer, 1) || answer != k_go) return 0;
    ::close(k_socket);
    // Whatever the engine believes, one folder's program is executed once.
    const int output =
        ::open(k_output_file, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (output < 0) return 3;
    return supervise(*spec, output);
}

}  // namespace
}  // namespace paperclip::shim

int main() {
    return paperclip::shim::run();
}
