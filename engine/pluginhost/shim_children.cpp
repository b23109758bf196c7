#include "engine/pluginhost/shim_children.hpp"

#include "engine/base/error.hpp"
#include "engine/base/log.hpp"
#include "engine/pluginhost/strays.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace paperclip::pluginhost {

namespace fs = std::filesystem;

namespace {

constexpr int k_destroy_ms = 2'000;

bool is_there(const fs::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0;
}

/// Takes the ended shims, and orphans of killed ones that came to us, out of the process table.
void reap() {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
}

}  // namespace

ShimChildren::ShimChildren(fs::path shim)
    : ready_(std::move(shim)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
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

ProcessIdentity ShimChildren::prepare(const fs::path& folder, const shim::Spec& spec) {
    reap();  // those that nobody watched
    Shim shim = ready_.brief(folder, spec);
    const ProcessIdentity process = shim.process;
    const std::lock_guard lock(mutex_);
    shims_at_work_.insert_or_assign(folder.string(), AtWork{std::move(shim), spec.owner});
    return process;
}

void ShimChildren::go(const fs::path& folder) {
    const std::lock_guard lock(mutex_);
    const auto found = shims_at_work_.find(folder.string());
    if (found == shims_at_work_.end()) return;
    const int socket = found->second.shim.socket.get();
    // One that has ended meanwhile shows as a program that never started.
    static_cast<void>(!::send(socket, &shim::k_go, 1, MSG_NOSIGNAL));
    await(socket);
}

/// work() will hear of it, once.
void ShimChildren::await(int fd) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.fd = fd;
    const bool is_new = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
    if (!is_new) ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void ShimChildren::abandon(const fs::path& folder) {
    const auto goes = take_shim(folder);
}

std::optional<ShimChildren::AtWork> ShimChildren::take_shim(const fs::path& folder) {
    const std::lock_guard lock(mutex_);
    auto found = shims_at_work_.extract(folder.string());
    if (!found) return std::nullopt;
    return std::move(found.mapped());
}

std::optional<bool> ShimChildren::is_free(const fs::path& folder) const {
    const std::lock_guard lock(mutex_);
    const auto found = shims_at_work_.find(folder.string());
    if (found == shims_at_work_.end()) return std::nullopt;
    return found->second.is_free;
}

Children::State ShimChildren::state(const fs::path& folder, const ProcessIdentity& identity) {
    // While a shim is at work the exit file proves nothing: the program could have made it.
    const bool at_work = is_free(folder) == false;
    if (!at_work && is_there(folder / shim::k_exit_file)) return State::ended;
    // In this order: the shim makes the exit file before it ends, the output file before it
    // executes.
    const bool alive = identity.pid != 0 && is_same_process(identity);
    if (alive) return State::running;
    if (is_there(folder / shim::k_exit_file)) return State::ended;
    if (is_there(folder / shim::k_output_file)) return State::lost;
    // After a crash of the machine a missing file proves nothing: it may not have reached the disk.
    const bool other_boot = identity.pid != 0 && identity.boot_id != this_boot();
    return other_boot ? State::lost : State::never_started;
}

void ShimChildren::settle(const fs::path& folder, const ProcessIdentity& identity) {
    const UniqueFd process = open_process(identity.pid);
    if (!process) return;
    // Its socket closed with the engine that held it: it reads "go" from it, or the end.
    pollfd ended{process.get(), POLLIN, 0};
    for (int i = 0;
         i < 1000 && is_same_process(identity) && !is_there(folder / shim::k_output_file); ++i) {
        ::poll(&ended, 1, 10);
    }
}

std::optional<shim::Exit> ShimChildren::exit(const fs::path& folder) {
    const fs::path file = folder / shim::k_exit_file;
    if (!is_there(file)) return std::nullopt;
    return shim::decode_exit(read_file(file, 4096));
}

void ShimChildren::order(const fs::path& folder, const ProcessIdentity& identity,
                         shim::Order order) {
    // A shim whose run has ended may be at another one by now. Between the look and the signal the
    // pid cannot pass to another process: the pidfd holds it.
    const UniqueFd process = open_process(identity.pid);
    if (!process || state(folder, identity) != State::running) return;
    signal_process(process, static_cast<int>(order));
    signal_process(process, SIGCONT);  // its program may have stopped it
    pollfd ended{process.get(), POLLIN, 0};
    if (order == shim::Order::destroy) ::poll(&ended, 1, k_destroy_ms);
}

int ShimChildren::end_strays(std::string_view variable) {
    return pluginhost::end_strays(variable, ready_.program());
}

void ShimChildren::watch(const fs::path& folder, const ProcessIdentity& identity,
                         std::function<void()> changed) {
    const std::string name = folder.string();
    Watched watched;
    watched.changed = std::make_shared<std::function<void()>>(std::move(changed));
    watched.watch = ::inotify_add_watch(inotify_.get(), name.c_str(), IN_MODIFY | IN_CREATE);
    if (watched.watch < 0) {
        log_warn("output is seen when its program ends; see fs.inotify.max_user_watches",
                 {{"folder", name}, {"error", std::strerror(errno)}});
    }
    watched.process = open_process(identity.pid);
    const auto notice = watched.changed;
    {
        const std::lock_guard lock(mutex_);
        if (watched.process) await(watched.process.get());
        if (!is_there(folder / shim::k_exit_file)) shims_at_work_.try_emplace(name);
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
    // One that is not free goes when its run has ended.
    auto done = take_shim(folder);
    if (done && done->is_free) ready_.give_back(std::move(done->shim), std::move(done->owner));
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
            if (event.wd < 0) {  // so many that the kernel did not keep them
                look_at_all();
                continue;
            }
            if (event.len == 0 || std::string_view(event.name) != shim::k_output_file) continue;
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

void ShimChildren::look_at_all() {
    std::vector<std::string> folders;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [folder, watched] : watched_) folders.push_back(folder);
    }
    for (const auto& folder : folders) notify(folder);
}

/// `fd`: of a shim that has ended, or the socket of one that says something.
void ShimChildren::look_again(int fd) {
    std::string folder;
    {
        const std::lock_guard lock(mutex_);
        for (auto& [name, at_work] : shims_at_work_) {
            if (at_work.shim.socket.get() != fd) continue;
            char word = 0;
            const bool heard = ::recv(fd, &word, 1, MSG_DONTWAIT) == 1;
            at_work.is_free = at_work.is_free || (heard && word == shim::k_free);
            folder = name;
        }
        for (const auto& [name, watched] : watched_) {
            if (watched.process.get() == fd) folder = name;
        }
    }
    if (!folder.empty()) notify(folder);
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
            look_again(fd);
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
