#include "agent_kit.hpp"

#include "rules.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <iterator>
#include <optional>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace paperclip::check::agent {
namespace {

constexpr RuleInfo k_manifest{"plugin.manifest", "plugin.json is complete and names the library"};
constexpr std::size_t k_max_message = 4000;

std::vector<Rule> all_rules() {
    std::vector<Rule> all;
    for (auto* part : {load_rules, run_rules, hostile_rules}) {
        auto some = part();
        std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
}

/// What a rule says: nothing when the promise is kept.
std::string try_rule(const Rule& rule, const Context& context) {
    try {
        rule.check(context);
        return {};
    } catch (const std::exception& e) {
        const std::string message = e.what();
        return message.empty() ? "broken" : message.substr(0, k_max_message);
    }
}

[[noreturn]] void be_child(const Rule& rule, const Context& context, int answer) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, number);
    const std::string text = "." + try_rule(rule, context);
    const ssize_t ignored = ::write(answer, text.data(), text.size());
    (void)ignored;
    ::_exit(0);
}

/// Reads what a child says until it ends or `patience` is over; nothing when it is.
std::optional<std::string> read_answer(int from, std::chrono::seconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    std::string text;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        if (left.count() <= 0) return std::nullopt;
        pollfd wanted{from, POLLIN, 0};
        if (::poll(&wanted, 1, static_cast<int>(left.count())) <= 0) continue;
        char bytes[4096];
        const ssize_t size = ::read(from, bytes, sizeof bytes);
        if (size == 0 || (size < 0 && errno != EINTR)) return text;
        if (size > 0) text.append(bytes, static_cast<std::size_t>(size));
        // It has said all; the pipe may be held open by what the plugin left behind.
        if (!text.empty() && size < static_cast<ssize_t>(sizeof bytes)) return text;
    }
}

std::string in_child(const Rule& rule, const Context& context) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) {
        // Nobody else ends a plugin that spins: in its own group it hears no Ctrl-C. When the
        // parent went before the call, the signal will not come.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        ::setpgid(0, 0);  // what the plugin starts is found again
        ::close(ends[0]);
        be_child(rule, context, ends[1]);
    }
    ::close(ends[1]);
    const auto answer = read_answer(ends[0], context.options.patience);
    ::close(ends[0]);
    int status = 0;
    if (!answer) ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    ::kill(-child, SIGKILL);
    if (!answer) {
        return "expected an end within " + std::to_string(context.options.patience.count()) +
               " s, found none";
    }
    if (!answer->empty()) return answer->substr(1);
    if (WIFSIGNALED(status)) {
        return "the process was ended by signal " + std::to_string(WTERMSIG(status));
    }
    return "the process ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Request Context::request(const Loaded& loaded, const std::string& type) const {
    Request request;
    request.adapter_type = type;
    const auto given = options.configs.find(type);
    request.config =
        given != options.configs.end() ? given->second : least_config(loaded.config_schema(type));
    return request;
}

std::vector<RuleInfo> rules() {
    std::vector<RuleInfo> list{k_manifest};
    for (const auto& rule : all_rules()) list.push_back(rule.info);
    return list;
}

std::vector<Finding> check_plugin(const std::filesystem::path& folder, const Options& options) {
    std::vector<Finding> findings;
    Manifest manifest;
    try {
        manifest = read_manifest(folder);
    } catch (const Broken& broken) {
        return {{std::string(k_manifest.id), broken.what()}};
    }
    const Context context{manifest, options};
    for (const auto& rule : all_rules()) {
        const std::string message =
            rule.needs_child ? in_child(rule, context) : try_rule(rule, context);
        if (message.empty()) continue;
        findings.push_back({std::string(rule.info.id), message});
        // What these promise is what every later rule builds on.
        const auto id = rule.info.id;
        if (id == "plugin.exported" || id == "plugin.undefined" || id == "plugin.loads" ||
            id == "agent.describe" || id == "plugin.identity" || id == "agent.config_schema" ||
            id == "agent.opens") {
            break;
        }
    }
    return findings;
}

}  // namespace paperclip::check::agent
