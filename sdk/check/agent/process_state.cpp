#include "process_state.hpp"

#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <dirent.h>
#include <filesystem>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

namespace paperclip::check::agent {
namespace {

/// The numbers in a folder of /proc, but for the descriptor that reads it.
std::string numbers_in(const char* path) {
    std::set<std::string> names;
    DIR* const folder = ::opendir(path);
    if (folder == nullptr) return "?";
    const std::string own = std::to_string(::dirfd(folder));
    while (const dirent* entry = ::readdir(folder)) {
        if (entry->d_name[0] != '.' && entry->d_name != own) names.insert(entry->d_name);
    }
    ::closedir(folder);
    std::string list;
    for (const auto& name : names) list += name + " ";
    return list;
}

/// The processor's own signals are left out: sanitizers take them as they start.
std::string handlers() {
    std::string list;
    for (int number = 1; number < NSIG; ++number) {
        struct sigaction action {};
        if (::sigaction(number, nullptr, &action) != 0) continue;
        if (action.sa_handler == SIG_DFL) continue;
        list += std::to_string(number) + (action.sa_handler == SIG_IGN ? " ignored " : " handled ");
    }
    return list;
}

std::string environment() {
    std::string all;
    for (char** variable = environ; *variable != nullptr; ++variable)
        all += std::string(*variable) + '\n';
    return all;
}

/// Are there any, running or waiting to be taken?
std::string children() {
    siginfo_t info{};
    const int status = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
    return status != 0 && errno == ECHILD ? "none " : "some ";
}

std::string working_folder() {
    std::error_code ignored;
    return std::filesystem::current_path(ignored).string();
}

}  // namespace

ProcessState::ProcessState()
    : threads_(numbers_in("/proc/self/task")),
      descriptors_(numbers_in("/proc/self/fd")),
      children_(children()),
      handlers_(handlers()),
      environment_(environment()),
      locale_(std::setlocale(LC_ALL, nullptr)),
      folder_(working_folder()) {}

std::string ProcessState::changes() const {
    const ProcessState now;
    std::string found;
    const auto compare = [&](const char* what, const std::string& was, const std::string& is) {
        if (was != is)
            found +=
                (found.empty() ? "" : ", ") + std::string(what) + " (" + was + "-> " + is + ")";
    };
    compare("threads", threads_, now.threads_);
    compare("descriptors", descriptors_, now.descriptors_);
    compare("children", children_, now.children_);
    compare("signal handlers", handlers_, now.handlers_);
    if (environment_ != now.environment_)
        found += (found.empty() ? "" : ", ") + std::string("environment");
    compare("locale", locale_, now.locale_);
    compare("working folder", folder_, now.folder_);
    return found;
}

}  // namespace paperclip::check::agent
