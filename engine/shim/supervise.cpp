#include "engine/shim/supervise.hpp"

#include "engine/shim/process_tree.hpp"
#include "engine/shim/spool.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace paperclip::shim {
namespace {

constexpr std::int64_t k_hard_grace_ms = 2'000;
constexpr std::int64_t k_default_grace_ms = 20'000;
constexpr std::int64_t k_never = INT64_MAX;
constexpr const char* k_draft_file = "exit.tmp";  // of k_exit_file

struct Pipe {
    int read_end = -1;
    int write_end = -1;

    bool open() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return false;
        read_end = ends[0];
        write_end = ends[1];
        return true;
    }
};

void close_fd(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
}

std::string path_of(const std::vector<std::string>& environment) {
    for (const auto& variable : environment) {
        if (variable.starts_with("PATH=")) return variable.substr(5);
    }
    return "/usr/local/bin:/usr/bin:/bin";
}

/// Where argv[0] may be: there when it has a slash, else in the folders of the environment's PATH.
std::vector<std::string> places_of(const Spec& spec) {
    const std::string& name = spec.argv.front();
    if (name.find('/') != std::string::npos) return {name};
    std::vector<std::string> places;
    const std::string path = path_of(spec.environment);
    for (std::size_t from = 0; from <= path.size();) {
        const auto to = std::min(path.find(':', from), path.size());
        const std::string folder = path.substr(from, to - from);
        places.push_back((folder.empty() ? "." : folder) + "/" + name);
        from = to + 1;
    }
    return places;
}

std::vector<char*> pointers(const std::vector<std::string>& list) {
    std::vector<char*> out;
    for (const auto& text : list) out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
}

/// The program's standard streams.
struct Streams {
    int input;
    int output;
    int errors;
};

/// Starts the program in a process group of its own, with nothing of ours but its streams. Returns
/// errno. posix_spawn() borrows our memory until the program has its own, as fork() does not: to
/// copy it costs more than all else that a shim does.
int start_program(const Spec& spec, const Streams& streams, pid_t& pid) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, streams.input, 0);
    ::posix_spawn_file_actions_adddup2(&actions, streams.output, 1);
    ::posix_spawn_file_actions_adddup2(&actions, streams.errors, 2);
    ::posix_spawn_file_actions_addchdir_np(&actions, spec.cwd.c_str());
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes, &signals);
    // An engine that was started in the background ignores some of these, and we one.
    for (const int signal : {SIGPIPE, SIGINT, SIGQUIT, SIGHUP, SIGTERM}) {
        ::sigaddset(&signals, signal);
    }
    ::posix_spawnattr_setsigdefault(&attributes, &signals);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const auto argv = pointers(spec.argv);
    const auto environment = pointers(spec.environment);
    int error = ENOENT;
    for (const auto& place : places_of(spec)) {
        const int failure = ::posix_spawn(&pid, place.c_str(), &actions, &attributes, argv.data(),
                                          environment.data());
        if (failure == 0) {
            error = 0;
            break;
        }
        if (failure != ENOENT && failure != ENOTDIR) error = failure;
    }
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    return error;
}

class Supervisor {
 public:
    Supervisor(const Spec& spec, int output, const sigset_t& orders)
        : spec_(spec),
          spool_(output, spec.max_output_bytes),
          signals_(::signalfd(-1, &orders, SFD_CLOEXEC | SFD_NONBLOCK)) {}
    ~Supervisor() {
        for (int* fd : {&signals_, &outputs_[0], &outputs_[1], &child_input_, &to_program_,
                        &input_file_, &watch_}) {
            close_fd(*fd);
        }
    }
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    bool run() {
        if (start()) loop();
        return note_exit();
    }

 private:
    bool start() {
        Pipe out, err;
        if (!out.open() || !err.open() || !open_input()) {
            exit_.start_error = errno;
            return false;
        }
        exit_.start_error =
            start_program(spec_, {child_input_, out.write_end, err.write_end}, program_);
        close_fd(child_input_);
        close_fd(out.write_end);
        close_fd(err.write_end);
        group_ = program_;
        outputs_ = {out.read_end, err.read_end};
        last_output_ms_ = started_ms_ = monotonic_ms();
        return exit_.start_error == 0;
    }

    bool open_input() {
        if (!spec_.has_input) {
            child_input_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
            return child_input_ >= 0;
        }
        Pipe input;
        if (!input.open()) return false;
        child_input_ = input.read_end;
        to_program_ = input.write_end;
        ::fcntl(to_program_, F_SETFL, O_NONBLOCK);
        input_file_ = ::open(k_input_file, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
        watch_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        ::inotify_add_watch(watch_, ".", IN_MODIFY | IN_CREATE | IN_MOVED_TO);
        return input_file_ >= 0 && watch_ >= 0;
    }

    void loop() {
        // What was written before the watch was there is announced by nobody.
        if (to_program_ >= 0) feed_input();
        while (!is_over()) {
            std::array<pollfd, 5> fds{{{signals_, POLLIN, 0},
                                       {outputs_[0], POLLIN, 0},
                                       {outputs_[1], POLLIN, 0},
                                       {watch_, POLLIN, 0},
                                       {input_waits_ ? to_program_ : -1, POLLOUT, 0}}};
            const std::int64_t wait =
                std::clamp<std::int64_t>(next_deadline() - monotonic_ms(), 0, 60'000);
            if (::poll(fds.data(), fds.size(), static_cast<int>(wait)) < 0 && errno != EINTR)
                return;
            read_output(0);
            read_output(1);
            if (fds[0].revents != 0) take_signals();
            if (fds[3].revents != 0) drain_watch();
            if (to_program_ >= 0) feed_input();
            check_deadlines();
        }
    }

    /// Over when the program has been reaped, nobody it left behind lives, and its output is read.
    bool is_over() {
        if (program_ > 0 || has_children()) return false;
        // Nobody is left who could write: what is in the pipes is all.
        while (read_output(0) || read_output(1)) {
        }
        return true;
    }

    /// Whose parent dies becomes our child: without a child there is no descendant.
    static bool has_children() {
        siginfo_t unused;
        return ::waitid(P_ALL, 0, &unused, WEXITED | WNOHANG | WNOWAIT) == 0;
    }

    bool read_output(std::size_t index) {
        int& fd = outputs_[index];
        if (fd < 0) return false;
        pollfd ready{fd, POLLIN, 0};
        if (::poll(&ready, 1, 0) <= 0) return false;
        static char buffer[k_max_record];
        const ssize_t n = ::read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) return true;
        if (n <= 0) {
            close_fd(fd);
            return false;
        }
        last_output_ms_ = monotonic_ms();
        if (discard_) return true;
        const auto result = spool_.append(static_cast<std::uint32_t>(index + 1),
                                          {buffer, static_cast<std::size_t>(n)});
        if (result == Spool::Result::ok) return true;
        discard_ = true;
        stop(result == Spool::Result::limit ? StopReason::output_limit : StopReason::spool_failed,
             k_hard_grace_ms);
        return true;
    }

    void take_signals() {
        signalfd_siginfo info{};
        while (::read(signals_, &info, sizeof info) == sizeof info) {
            switch (static_cast<int>(info.ssi_signo)) {
                case SIGCHLD:
                    reap();
                    break;
                case static_cast<int>(Order::interrupt):
                    ::kill(-group_, SIGINT);
                    break;
                case static_cast<int>(Order::stop):
                    stop(StopReason::order, grace_ms());
                    break;
                case static_cast<int>(Order::stop_hard):
                    stop(StopReason::order, k_hard_grace_ms);
                    break;
                case static_cast<int>(Order::kill):
                    stop(StopReason::order, 0);
                    break;
                default:
                    break;  // SIGHUP: our terminal is nobody's business
            }
        }
    }

    void reap() {
        int status = 0;
        rusage usage{};
        for (pid_t pid = 0; (pid = ::wait4(-1, &status, WNOHANG, &usage)) > 0;) {
            exit_.cpu_us += usage.ru_utime.tv_sec * 1'000'000 + usage.ru_utime.tv_usec +
                            usage.ru_stime.tv_sec * 1'000'000 + usage.ru_stime.tv_usec;
            exit_.max_rss_kib = std::max<std::int64_t>(exit_.max_rss_kib, usage.ru_maxrss);
            if (pid != program_) continue;
            program_ = 0;
            if (WIFEXITED(status)) exit_.code = WEXITSTATUS(status);
            if (WIFSIGNALED(status)) exit_.signal = WTERMSIG(status);
            // What it left running belongs to nobody now.
            if (!has_children()) continue;
            exit_.left_behind = signal_descendants(::getpid(), SIGTERM);
            kill_at_ms_ = std::min(kill_at_ms_, monotonic_ms() + k_hard_grace_ms);
        }
    }

    void stop(StopReason reason, std::int64_t grace) {
        if (exit_.reason == StopReason::none) exit_.reason = reason;
        const std::int64_t at = monotonic_ms() + grace;
        if (kill_at_ms_ == k_never && grace > 0) signal_descendants(::getpid(), SIGTERM);
        kill_at_ms_ = std::min(kill_at_ms_, at);
    }

    std::int64_t next_deadline() const {
        std::int64_t next = kill_at_ms_;
        if (exit_.reason == StopReason::none) {
            if (spec_.timeout_ms > 0) next = std::min(next, started_ms_ + spec_.timeout_ms);
            if (spec_.silence_ms > 0) next = std::min(next, last_output_ms_ + spec_.silence_ms);
        }
        return next;
    }

    void check_deadlines() {
        const std::int64_t now = monotonic_ms();
        if (now >= kill_at_ms_) {
            signal_descendants(::getpid(), SIGKILL);
            kill_at_ms_ = now + 100;  // until nobody is left
        }
        if (exit_.reason != StopReason::none || program_ <= 0) return;
        if (spec_.timeout_ms > 0 && now >= started_ms_ + spec_.timeout_ms) {
            stop(StopReason::timeout, grace_ms());
        } else if (spec_.silence_ms > 0 && now >= last_output_ms_ + spec_.silence_ms) {
            stop(StopReason::silence, grace_ms());
        }
    }

    std::int64_t grace_ms() const {
        return spec_.grace_ms > 0 ? spec_.grace_ms : k_default_grace_ms;
    }

    void drain_watch() {
        char events[4096];
        while (::read(watch_, events, sizeof events) > 0) {
        }
    }

    void feed_input() {
        static char buffer[k_max_record];
        // Looked for first: what is appended before the end mark is made has then been read below.
        struct stat info {};
        const bool ended = ::stat(k_input_end_file, &info) == 0;
        for (;;) {
            const ssize_t n = ::pread(input_file_, buffer, sizeof buffer, input_offset_);
            if (n <= 0) break;
            const ssize_t taken = ::write(to_program_, buffer, static_cast<std::size_t>(n));
            if (taken < 0 && errno == EINTR) continue;
            input_waits_ = taken < 0 && errno == EAGAIN;
            if (input_waits_) return;
            if (taken < 0) return close_fd(to_program_);  // it does not read any more
            input_offset_ += taken;
        }
        input_waits_ = false;
        if (ended) close_fd(to_program_);
    }

    bool note_exit() {
        exit_.ended_us = realtime_us();
        const int fd = ::open(k_draft_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0) return false;
        const std::string text = encode(exit_);
        const bool written =
            ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
        ::close(fd);
        return written && ::rename(k_draft_file, k_exit_file) == 0;
    }

    const Spec& spec_;
    Spool spool_;
    int signals_;
    Exit exit_;
    pid_t program_ = 0;
    pid_t group_ = 0;
    std::array<int, 2> outputs_{-1, -1};
    bool discard_ = false;
    int child_input_ = -1;
    int to_program_ = -1;
    int input_file_ = -1;
    int watch_ = -1;
    off_t input_offset_ = 0;
    bool input_waits_ = false;
    std::int64_t started_ms_ = 0;
    std::int64_t last_output_ms_ = 0;
    std::int64_t kill_at_ms_ = k_never;
};

}  // namespace

bool supervise(const Spec& spec, int output, const sigset_t& orders) {
    return Supervisor(spec, output, orders).run();
}

}  // namespace paperclip::shim
