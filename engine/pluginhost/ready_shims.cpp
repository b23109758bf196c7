#include "engine/pluginhost/ready_shims.hpp"

#include "engine/base/error.hpp"
#include "engine/base/log.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

namespace paperclip::pluginhost {

namespace fs = std::filesystem;

namespace {

constexpr int k_start_ms = 10'000;
/// One that stands ready answers at once, or something is wrong with it.
constexpr int k_answer_ms = 1'000;
constexpr std::chrono::seconds k_retry_after{1};

/// Starts `program` with `socket` as its descriptor 3 and nothing else of ours.
pid_t start_shim(const fs::path& program, int socket) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, socket, shim::k_socket);
    // Libraries open without O_CLOEXEC (Poco its sockets): an agent must not hold other callers'
    // connections, nor our port after we are gone.
    ::posix_spawn_file_actions_addclosefrom_np(&actions, shim::k_socket + 1);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    char name[] = "paperclip-shim";
    char* const argv[] = {name, nullptr};
    char* const environment[] = {nullptr};
    pid_t pid = 0;
    const int error =
        ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv, environment);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        throw system_error(ErrorKind::unavailable, "cannot start " + program.string(), error);
    }
    return pid;
}

/// False when the shim has ended, or does not answer in time.
bool understands(const Shim& shim, const std::string& message, int patience_ms) {
    for (std::size_t sent = 0; sent < message.size();) {
        const ssize_t n =
            ::send(shim.socket.get(), message.data() + sent, message.size() - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        sent += static_cast<std::size_t>(n);
    }
    pollfd answer{shim.socket.get(), POLLIN, 0};
    char word = 0;
    return ::poll(&answer, 1, patience_ms) == 1 && ::read(shim.socket.get(), &word, 1) == 1 &&
           word == shim::k_ready;
}

/// For a shim that is at no run. One that somebody stopped would not see that its socket is closed.
void end(const Shim& shim) {
    const UniqueFd process = open_process(shim.process.pid);
    if (process && is_same_process(shim.process)) signal_process(process, SIGKILL);
}

}  // namespace

ReadyShims::ReadyShims(fs::path program) : program_(std::move(program)) {
    if (!fs::exists(program_)) {
        throw Error(ErrorKind::unavailable,
                    program_.string() + " is missing; reinstall the engine");
    }
    thread_ = std::thread([this] { work(); });
}

ReadyShims::~ReadyShims() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    taken_.notify_one();
    thread_.join();
    for (const Shim& shim : fresh_) end(shim);
    for (const Used& used : used_) end(used.shim);
}

Shim ReadyShims::start() const {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        throw system_error(ErrorKind::unavailable, "cannot make a socket", errno);
    }
    Shim shim{{}, UniqueFd(ends[0])};
    const UniqueFd theirs(ends[1]);
    const pid_t pid = start_shim(program_, theirs.get());
    const auto process = identify_process(pid);
    if (!process) throw Error(ErrorKind::unavailable, "the run shim did not start");
    shim.process = *process;
    return shim;
}

std::optional<Shim> ReadyShims::take(const std::string& owner) {
    const std::lock_guard lock(mutex_);
    const auto known = std::find_if(used_.rbegin(), used_.rend(),
                                    [&](const Used& used) { return used.owner == owner; });
    if (known != used_.rend()) {
        Shim shim = std::move(known->shim);
        used_.erase(std::prev(known.base()));
        return shim;
    }
    if (fresh_.empty()) return std::nullopt;
    Shim shim = std::move(fresh_.back());
    fresh_.pop_back();
    taken_.notify_one();
    return shim;
}

void ReadyShims::give_back(Shim shim, std::string owner) {
    const std::lock_guard lock(mutex_);
    used_.push_back({std::move(shim), std::move(owner)});
    if (used_.size() > k_most_used) used_.pop_front();
}

Shim ReadyShims::brief(const fs::path& folder, const shim::Spec& spec) {
    const std::string message = shim::encode(fs::absolute(folder).string(), spec);
    // One that waited may have gone meanwhile, or be in somebody's way: then the next one is asked.
    while (auto shim = take(spec.owner)) {
        if (understands(*shim, message, k_answer_ms)) return std::move(*shim);
        end(*shim);
    }
    Shim shim = start();
    if (!understands(shim, message, k_start_ms)) {
        end(shim);
        throw Error(ErrorKind::unavailable, "the run shim did not start");
    }
    return shim;
}

void ReadyShims::work() {
    pthread_setname_np(pthread_self(), "shims");
    std::unique_lock lock(mutex_);
    for (;;) {
        taken_.wait(lock, [&] { return stopping_ || fresh_.size() < k_started_ahead; });
        if (stopping_) return;
        lock.unlock();
        std::optional<Shim> shim;
        try {
            shim = start();
        } catch (const std::exception& e) {
            log_warn("no shim is kept ready, trying again", {{"error", e.what()}});
        }
        lock.lock();
        if (shim) {
            fresh_.push_back(std::move(*shim));
        } else {
            taken_.wait_for(lock, k_retry_after, [&] { return stopping_; });
        }
    }
}

}  // namespace paperclip::pluginhost
