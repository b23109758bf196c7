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

std::vector<char*> pointers(const std::vector<std::string>& list) {
    std::vector<char*> out;
    for (const auto& text : list) out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
}

/// Executes argv[0], looked for in the environment's PATH when it has no slash. Returns errno.
int execute(const Spec& spec) {
    const auto argv = pointers(spec.argv);
    const auto environment = pointers(spec.environment);
    const std::string& name = spec.argv.front();
    if (name.find('/') != std::string::npos) {
        ::execve(name.c_str(), argv.data(), environment.data());
        return errno;
    }
    int error = ENOENT;
    const std::string path = path_of(spec.environment);
    for (std::size_t from = 0; from <= path.size();) {
        const auto to = std::min(path.find(':', from), path.size());
        const std::string folder = path.substr(from, to - from);
        ::execve(((folder.empty() ? "." : folder) + "/" + name).c_str(), argv.data(),
                 environment.data());
        if (errno != ENOENT && errno != ENOTDIR) error = errno;
        from = to + 1;
    }
    return error;
}

class Supervisor {
 public:
    Supervisor(const Spec& spec, int output) : spec_(spec), spool_(output, spec.max_output_bytes) {}

    int run() {
        block_signals();
        if (start()) loop();
        note_exit();
        return 0;
    }

 private:
    void block_signals() {
        sigset_t mask;
        ::sigemptyset(&mask);
        for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP}) {
            ::sigaddset(&mask, signal);
        }
        ::sigprocmask(SIG_BLOCK, &mask, nullptr);
        signals_ = ::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    }

    bool start() {
        Pipe out, err, failure;
        if (!out.open() || !err.open() || !failure.open() || !open_input()) {
            exit_.start_error = errno;
            return false;
        }
        program_ = ::fork();
        if (program_ == 0) {
            ::dup2(child_input_, 0);
            ::dup2(out.write_end, 1);
            ::dup2(err.write_end, 2);
            become_program(failure.write_end);
        }
        if (program_ < 0) exit_.start_error = errno;
        group_ = program_;
        close_fd(child_input_);
        close_fd(out.write_end);
        close_fd(err.write_end);
        close_fd(failure.write_end);
        int error = 0;
        if (program_ > 0 && ::read(failure.read_end, &error, sizeof error) == sizeof error) {
            ::waitpid(program_, nullptr, 0);
            exit_.start_error = error;
        }
        close_fd(failure.read_end);
        outputs_ = {out.read_end, err.read_end};
        last_output_ms_ = started_ms_ = monotonic_ms();
        return exit_.start_error == 0;
    }

    [[noreturn]] void become_program(int failure) {
        ::setsid();
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::signal(SIGPIPE, SIG_DFL);
        int error = 0;
        if (::chdir(spec_.cwd.c_str()) != 0) error = errno;
        if (error == 0) error = execute(spec_);
        static_cast<void>(!::write(failure, &error, sizeof error));
        ::_exit(127);
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
        if (program_ > 0) return false;
        if (outputs_[0] < 0 && outputs_[1] < 0) return descendants(::getpid()).empty();
        if (!descendants(::getpid()).empty()) return false;
        // Nobody is left who could write: what is in the pipes is all.
        while (read_output(0) || read_output(1)) {
        }
        return true;
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

    void note_exit() {
        exit_.ended_us = realtime_us();
        const std::string temporary = std::string(k_exit_file) + ".tmp";
        const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const std::string text = encode(exit_);
        if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            return;
        ::close(fd);
        ::rename(temporary.c_str(), k_exit_file);
    }

    const Spec& spec_;
    Spool spool_;
    Exit exit_;
    pid_t program_ = 0;
    pid_t group_ = 0;
    int signals_ = -1;
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

int supervise(const Spec& spec, int output) {
    return Supervisor(spec, output).run();
}

}  // namespace paperclip::shim
