#include "engine/runs/peers.hpp"

#include "engine/base/files.hpp"
#include "engine/pluginhost/process.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace paperclip::runs {
namespace {

constexpr std::size_t k_max_known = 8192;

/// A socket of this machine: its inode, as /proc/<pid>/fd names it, and its owner.
struct Socket {
    std::uint32_t inode = 0;
    std::uint32_t uid = 0;
};

bool set_address(const std::string& text, std::uint8_t family, __be32 (&out)[4]) {
    if (family == AF_INET6) return ::inet_pton(AF_INET6, text.c_str(), out) == 1;
    return ::inet_pton(AF_INET, text.c_str(), out) == 1;
}

/// Asks the kernel for the client's socket of a connection to us.
std::optional<Socket> find_socket(const http::Peer& peer) {
    const UniqueFd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!netlink) return std::nullopt;
    struct {
        nlmsghdr header;
        inet_diag_req_v2 request;
    } message{};
    const std::uint8_t family = peer.address.find(':') == std::string::npos ? AF_INET : AF_INET6;
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST;
    message.request.sdiag_family = family;
    message.request.sdiag_protocol = IPPROTO_TCP;
    message.request.idiag_states = ~0u;
    auto& id = message.request.id;
    id.idiag_sport = htons(peer.port);
    id.idiag_dport = htons(peer.local_port);
    const std::string own = family == AF_INET ? "127.0.0.1" : "::1";
    if (!set_address(peer.address, family, id.idiag_src) ||
        !set_address(own, family, id.idiag_dst)) {
        return std::nullopt;
    }
    id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (::send(netlink.get(), &message, sizeof message, 0) != sizeof message) return std::nullopt;
    alignas(nlmsghdr) char buffer[4096];
    const ssize_t n = ::recv(netlink.get(), buffer, sizeof buffer, 0);
    const auto* header = reinterpret_cast<const nlmsghdr*>(buffer);
    if (n < static_cast<ssize_t>(sizeof *header) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) {
        return std::nullopt;
    }
    inet_diag_msg answer{};
    std::memcpy(&answer, NLMSG_DATA(header), sizeof answer);
    return Socket{answer.idiag_inode, answer.idiag_uid};
}

bool holds(pid_t pid, const std::string& link) {
    const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
    DIR* entries = ::opendir(folder.c_str());
    if (entries == nullptr) return false;
    bool found = false;
    while (const dirent* entry = ::readdir(entries)) {
        char target[64];
        const ssize_t n = ::readlink((folder + "/" + entry->d_name).c_str(), target, sizeof target);
        found = n > 0 && link == std::string_view(target, static_cast<std::size_t>(n));
        if (found) break;
    }
    ::closedir(entries);
    return found;
}

/// All processes in the order in which they are likely to be the caller: we (an agent's request
/// that the host makes), then the newest first.
std::vector<pid_t> processes() {
    std::vector<pid_t> pids;
    DIR* entries = ::opendir("/proc");
    if (entries == nullptr) return pids;
    while (const dirent* entry = ::readdir(entries)) {
        const pid_t pid = static_cast<pid_t>(std::atoi(entry->d_name));
        if (pid > 0) pids.push_back(pid);
    }
    ::closedir(entries);
    std::sort(pids.begin(), pids.end(), [own = ::getpid()](pid_t a, pid_t b) {
        return std::pair(a == own, a) > std::pair(b == own, b);
    });
    return pids;
}

}  // namespace

access::Peers::Answer ProcessPeers::look_up(const http::Peer& peer) const {
    const auto live = engine_.live_processes();
    if (live.empty()) return {Kind::outside, {}};
    const auto socket = find_socket(peer);
    if (!socket || socket->inode == 0) return {Kind::unknown, {}};
    // Agents run as we do: another user's process is none of theirs.
    if (socket->uid != ::geteuid()) return {Kind::outside, {}};
    const std::string link = "socket:[" + std::to_string(socket->inode) + "]";
    bool is_held = false;
    for (pid_t pid : processes()) {
        if (!holds(pid, link)) continue;
        is_held = true;
        for (; pid > 1; pid = static_cast<pid_t>(pluginhost::parent_of(pid))) {
            for (const auto& process : live) {
                if (process.process.pid == pid) return {Kind::run, process.run_id};
            }
            // Our own child, but of no live run: what a killed shim left to us.
            if (pid == ::getpid()) return {Kind::unknown, {}};
        }
    }
    // All were looked at: a socket that nobody held was handed on meanwhile.
    return {is_held ? Kind::outside : Kind::unknown, {}};
}

access::Peers::Answer ProcessPeers::who_is(const http::Peer& peer) {
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = known_.find(peer.connection); found != known_.end())
            return found->second;
    }
    const Answer answer = look_up(peer);
    const std::lock_guard lock(mutex_);
    if (known_.size() >= k_max_known) known_.clear();
    if (peer.connection != 0 && answer.kind != Kind::unknown) known_[peer.connection] = answer;
    return answer;
}

}  // namespace paperclip::runs
