#include "engine/shim/process_tree.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace paperclip::shim {
namespace {

std::string read_small(const std::string& path) {
    std::string text;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return text;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(fd);
    return text;
}

bool is_zombie(pid_t pid) {
    const std::string stat = read_small("/proc/" + std::to_string(pid) + "/stat");
    const auto name_end = stat.rfind(')');
    return name_end == std::string::npos || name_end + 2 >= stat.size() ||
           stat[name_end + 2] == 'Z' || stat[name_end + 2] == 'X';
}

/// Children are listed by thread: each thread of a process may have forked.
void add_children(pid_t pid, std::vector<pid_t>& out) {
    const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
    DIR* folder = ::opendir(tasks.c_str());
    if (folder == nullptr) return;
    while (const dirent* entry = ::readdir(folder)) {
        if (entry->d_name[0] == '.') continue;
        std::string list = read_small(tasks + "/" + entry->d_name + "/children");
        for (char* word = std::strtok(list.data(), " "); word != nullptr;
             word = std::strtok(nullptr, " ")) {
            out.push_back(static_cast<pid_t>(std::atoi(word)));
        }
    }
    ::closedir(folder);
}

}  // namespace

std::vector<pid_t> descendants(pid_t root) {
    std::vector<pid_t> all;
    add_children(root, all);
    for (std::size_t i = 0; i < all.size(); ++i) add_children(all[i], all);
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    all.erase(std::remove_if(all.begin(), all.end(), is_zombie), all.end());
    return all;
}

int signal_descendants(pid_t root, int signal) {
    auto all = descendants(root);
    if (signal == SIGKILL) {
        // A stopped process cannot fork: once a round finds nobody new, the list is complete.
        for (std::size_t known = 0; known != all.size();) {
            known = all.size();
            for (const pid_t pid : all) ::kill(pid, SIGSTOP);
            all = descendants(root);
        }
    }
    for (const pid_t pid : all) ::kill(pid, signal);
    return static_cast<int>(all.size());
}

}  // namespace paperclip::shim
