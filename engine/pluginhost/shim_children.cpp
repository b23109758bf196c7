#include "engine/pluginhost/shim_children.hpp"

#include "engine/base/error.hpp"
#include "engine/base/log.hpp"
#include "engine/pluginhost/strays.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace paperclip::pluginhost {

namespace fs = std::filesystem;

namespace {

constexpr int k_shim_ready_ms = 10'000;

const std::string& this_boot() {
    static const std::string id = [] {
        std::string text = read_file("/proc/sys/kernel/random/boot_id", 100);
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text;
    }();
    return id;
}

int open_pidfd(std::int64_t pid) {
    return static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
}

bool is_there(const fs::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0;
}

/// Takes the ended shims, and orphans of killed ones that came to us, out of the process table.
void reap() {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
}

/// Waits for the shim's word that it understood; false when it ended instead.
bool wait_ready(int socket) {
    pollfd ready{socket, POLLIN, 0};
    char word = 0;
    return ::poll(&ready, 1, k_shim_ready_ms) == 1 && ::read(socket, &word, 1) == 1 &&
           word == shim::k_ready;
}

/// Starts `program` in `folder` with `socket` as its descriptor 3 and nothing else of ours.
pid_t start_shim(const fs::path& program, const fs::path& folder, int socket) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, socket, shim::k_socket);
    // Libraries open without O_CLOEXEC (Poco its sockets): an agent must not hold other callers'
    // connections, nor our port after we are gone.
    ::posix_spawn_file_actions_addclosefrom_np(&actions, shim::k_socket + 1);
    ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
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

}  // namespace

ShimChildren::ShimChildren(fs::path shim)
    : shim_(std::move(shim)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!is_there(shim_)) {
        throw Error(ErrorKind::unavailable, shim_.string() + " is missing; reinstall the engine");
    }
    // Processes of a shim that was killed become ours, and can be found and ended.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = inotify_.get();
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, inotify_.get(), &event);
    event.data.fd = stop_.get();
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), &event);
    thread_ = std::thread([this] { work(); });
}

ShimChildren::~ShimChildren() {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(stop_.get(), &one, sizeof one));
    thread_.join();
}

std::optional<ProcessIdentity> ShimChildren::identify(std::int64_t pid) {
    std::string stat;
    try {
        stat = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
    } catch (const Error&) {
        return std::nullopt;
    }
    // The name may hold anything, parentheses too; the fields after it are numbers.
    const auto name_end = stat.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::size_t at = name_end + 2;
    if (stat[at] == 'Z' || stat[at] == 'X') return std::nullopt;
    for (int field = 3; field < 22; ++field) at = stat.find(' ', at) + 1;
    return ProcessIdentity{pid, std::stoll(stat.substr(at)), this_boot()};
}

bool ShimChildren::is_alive(const ProcessIdentity& identity) {
    if (identity.boot_id != this_boot()) return false;
    const auto now = identify(identity.pid);
    return now && now->start_ticks == identity.start_ticks;
}

ProcessIdentity ShimChildren::prepare(const fs::path& folder, const shim::Spec& spec) {
    reap();  // those that nobody watched
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        throw system_error(ErrorKind::unavailable, "cannot make a socket", errno);
    }
    UniqueFd ours(ends[0]);
    pid_t pid = 0;
    {
        const UniqueFd theirs(ends[1]);
        pid = start_shim(shim_, folder, theirs.get());
    }
    const auto identity = identify(pid);
    write_all(ours.get(), shim::encode(spec), "the run's specification");
    if (!identity || !wait_ready(ours.get())) {
        throw Error(ErrorKind::unavailable, "the run shim did not start");
    }
    const std::lock_guard lock(mutex_);
    waiting_[folder.string()] = std::move(ours);
    return *identity;
}

void ShimChildren::go(const fs::path& folder) {
    const UniqueFd socket = take_waiting(folder);
    if (socket) write_all(socket.get(), {&shim::k_go, 1}, "go");
}

void ShimChildren::abandon(const fs::path& folder) {
    const UniqueFd closed = take_waiting(folder);
}

/// The socket that the prepared shim listens on; none when it has its word already.
UniqueFd ShimChildren::take_waiting(const fs::path& folder) {
    const std::lock_guard lock(mutex_);
    auto found = waiting_.extract(folder.string());
    return found ? std::move(found.mapped()) : UniqueFd();
}

Children::State ShimChildren::state(const fs::path& folder, const ProcessIdentity& identity) {
    // In this order: the shim makes the exit file before it ends, the output file before it
    // executes.
    const bool alive = identity.pid != 0 && is_alive(identity);
    if (is_there(folder / shim::k_exit_file)) return State::ended;
    if (alive) return State::running;
    if (is_there(folder / shim::k_exit_file))
        return State::ended;  // it ended between our two looks
    if (is_there(folder / shim::k_output_file)) return State::lost;
    // After a crash of the machine a missing file proves nothing: it may not have reached the disk.
    const bool other_boot = identity.pid != 0 && identity.boot_id != this_boot();
    return other_boot ? State::lost : State::never_started;
}

void ShimChildren::settle(const fs::path& folder, const ProcessIdentity& identity) {
    const UniqueFd process(open_pidfd(identity.pid));
    if (!process) return;
    // Its socket closed with the engine that held it: it reads "go" from it, or the end.
    pollfd ended{process.get(), POLLIN, 0};
    for (int i = 0; i < 1000 && is_alive(identity) && !is_there(folder / shim::k_output_file);
         ++i) {
        ::poll(&ended, 1, 10);
    }
}

std::optional<shim::Exit> ShimChildren::exit(const fs::path& folder) {
    const fs::path file = folder / shim::k_exit_file;
    if (!is_there(file)) return std::nullopt;
    return shim::decode_exit(read_file(file, 4096));
}

void ShimChildren::order(const ProcessIdentity& identity, shim::Order order) {
    const UniqueFd process(open_pidfd(identity.pid));
    // Between the look and the signal the pid cannot pass to another process: the pidfd holds it.
    if (!process || !is_alive(identity)) return;
    ::syscall(SYS_pidfd_send_signal, process.get(), static_cast<int>(order), nullptr, 0);
}

int ShimChildren::end_strays(std::string_view variable) {
    return pluginhost::end_strays(variable);
}

void ShimChildren::watch(const fs::path& folder, const ProcessIdentity& identity,
                         std::function<void()> changed) {
    const std::string name = folder.string();
    Watched watched;
    watched.changed = std::make_shared<std::function<void()>>(std::move(changed));
    watched.watch =
        ::inotify_add_watch(inotify_.get(), name.c_str(), IN_MODIFY | IN_MOVED_TO | IN_CREATE);
    watched.process.reset(open_pidfd(identity.pid));
    const auto notice = watched.changed;
    {
        const std::lock_guard lock(mutex_);
        if (watched.process) {
            epoll_event event{};
            event.events = EPOLLIN | EPOLLONESHOT;
            event.data.fd = watched.process.get();
            ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, watched.process.get(), &event);
        }
        by_watch_[watched.watch] = name;
        watched_[name] = std::move(watched);
    }
    (*notice)();  // what happened before we watched
}

void ShimChildren::unwatch(const fs::path& folder) {
    std::unique_lock lock(mutex_);
    const auto watched = watched_.extract(folder.string());
    if (!watched) return;
    by_watch_.erase(watched.mapped().watch);
    lock.unlock();
    ::inotify_rm_watch(inotify_.get(), watched.mapped().watch);
    if (std::this_thread::get_id() != thread_.get_id()) const std::lock_guard wait(calling_);
}

void ShimChildren::notify(const std::string& folder) {
    std::shared_ptr<std::function<void()>> changed;
    {
        const std::lock_guard lock(mutex_);
        const auto found = watched_.find(folder);
        if (found == watched_.end()) return;
        changed = found->second.changed;
    }
    (*changed)();
}

void ShimChildren::notice_files() {
    alignas(inotify_event) char buffer[16 << 10];
    for (;;) {
        const ssize_t n = ::read(inotify_.get(), buffer, sizeof buffer);
        if (n <= 0) return;
        std::string last;
        for (ssize_t at = 0; at < n;) {
            const auto& event = *reinterpret_cast<const inotify_event*>(buffer + at);
            at += static_cast<ssize_t>(sizeof event + event.len);
            std::string folder;
            {
                const std::lock_guard lock(mutex_);
                const auto found = by_watch_.find(event.wd);
                if (found == by_watch_.end()) continue;
                folder = found->second;
            }
            if (folder == last) continue;  // one look sees all that is there
            last = folder;
            notify(folder);
        }
    }
}

void ShimChildren::work() {
    pthread_setname_np(pthread_self(), "children");
    std::array<epoll_event, 64> events{};
    for (;;) {
        const int n = ::epoll_wait(epoll_.get(), events.data(), events.size(), -1);
        for (int i = 0; i < n; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == stop_.get()) return;
            const std::lock_guard calling(calling_);
            if (fd == inotify_.get()) {
                notice_files();
                continue;
            }
            std::string ended;
            {
                const std::lock_guard lock(mutex_);
                for (const auto& [folder, watched] : watched_) {
                    if (watched.process.get() == fd) ended = folder;
                }
            }
            if (!ended.empty()) notify(ended);
        }
        reap();
    }
}

std::int64_t ShimChildren::read_output(const fs::path& folder, std::int64_t offset,
                                       std::int64_t limit,
                                       const std::function<void(const Output&)>& visit) {
    const UniqueFd file(::open((folder / shim::k_output_file).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return offset;
    const std::int64_t end = offset + limit;
    std::string bytes;
    while (offset < end) {
        shim::RecordHeader header;
        if (::pread(file.get(), &header, sizeof header, offset) != sizeof header) break;
        if (header.size > shim::k_max_record) {
            throw Error(ErrorKind::internal,
                        folder.string() + ": output is damaged at byte " + std::to_string(offset));
        }
        bytes.resize(header.size);
        const ssize_t n = ::pread(file.get(), bytes.data(), bytes.size(),
                                  offset + static_cast<std::int64_t>(sizeof header));
        if (n != static_cast<ssize_t>(bytes.size())) break;  // still being written
        visit({static_cast<int>(header.stream), Time{Duration{header.time_us}}, bytes});
        offset += static_cast<std::int64_t>(sizeof header) + n;
    }
    return offset;
}

void ShimChildren::write_input(const fs::path& folder, std::string_view bytes, bool end) {
    if (!bytes.empty()) {
        const UniqueFd file(::open((folder / shim::k_input_file).c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        if (!file) throw system_error(ErrorKind::unavailable, "cannot write a run's input", errno);
        write_all(file.get(), bytes, "a run's input");
    }
    if (end) {
        const UniqueFd mark(::open((folder / shim::k_input_end_file).c_str(),
                                   O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
}

std::int64_t ShimChildren::input_size(const fs::path& folder) {
    struct stat info {};
    return ::stat((folder / shim::k_input_file).c_str(), &info) == 0 ? info.st_size : 0;
}

}  // namespace paperclip::pluginhost
