#include "engine/cli/plugin_run.hpp"

#include "engine/base/files.hpp"
#include "engine/cli/follow.hpp"
#include "engine/cli/own_engine.hpp"
#include "engine/pluginhost/agent_plugin.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <iterator>

#include <boost/json.hpp>

namespace paperclip::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr timespec k_poll_interval{.tv_sec = 0, .tv_nsec = 100'000'000};

/// A folder of its own that is deleted with everything in it.
class TemporaryFolder {
 public:
    TemporaryFolder() {
        std::string path = (fs::temp_directory_path() / "paperclip-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) {
            throw system_error(ErrorKind::unavailable, "cannot make " + path, errno);
        }
        path_ = path;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }

 private:
    fs::path path_;
};

/// From here on these signals wait until they are asked for: on this thread and on those that it
/// starts.
sigset_t hold_stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return set;
}

fs::path folder_of(const fs::path& plugin) {
    const fs::path path = fs::absolute(plugin).lexically_normal();
    return fs::is_directory(path) && path.has_filename() ? path : path.parent_path();
}

/// The adapter type that is asked for, or the only one.
std::string choose_type(const fs::path& folder, const std::string& wanted) {
    std::vector<std::string> problems;
    const pluginhost::AdapterTypes types({pluginhost::read_plugin(folder)}, problems);
    if (!problems.empty()) throw Error(ErrorKind::invalid, problems.front());
    if (types.find(wanted) != nullptr) return wanted;
    if (wanted.empty() && types.all().size() == 1) return types.all().begin()->first;
    std::string offered;
    for (const auto& [type, unused] : types.all()) offered += (offered.empty() ? "" : ", ") + type;
    if (offered.empty()) throw Error(ErrorKind::invalid, folder.string() + " offers no agent");
    throw Error(ErrorKind::invalid, "--type: expected one of " + folder.string() + ": " + offered);
}

std::string read_input(const fs::path& file) {
    if (file != "-") return read_file(file);
    return {std::istreambuf_iterator<char>(std::cin), {}};
}

std::string plain_text(const json::value& value) {
    if (value.is_string()) return std::string(value.get_string());
    if (!value.is_double()) return json::serialize(value);
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value.get_double());
    return text;
}

/// What the engine keeps of the run, a line each; its output was printed already.
void print_members(const char* what, const json::value& value) {
    if (!value.is_object()) return;
    for (const auto& [name, member] : value.get_object()) {
        const std::string text = plain_text(member);
        if (name == "stdout" || name == "stderr" || text.empty()) continue;
        std::printf("%s.%s: %s\n", what, std::string(name).c_str(), text.c_str());
    }
}

json::object follow(Client& client, const std::string& run, const sigset_t& signals,
                    const std::function<void(const json::object&)>& entry) {
    const auto wait = [&] {
        if (::sigtimedwait(&signals, nullptr, &k_poll_interval) < 0) return;
        client.post("/heartbeat-runs/" + run + "/cancel", json::object{});
    };
    return follow_run(client, run, {.entry = entry, .wait = wait});
}

}  // namespace

void run_plugin(const Common& common, PluginRun options, const Finish& finish) {
    const fs::path folder = folder_of(options.plugin);
    options.single.adapter = choose_type(folder, options.single.adapter);
    if (!options.input.empty()) options.single.task = read_input(options.input);

    const sigset_t signals = hold_stop_signals();
    const TemporaryFolder home;
    app::EngineOptions engine_options;
    engine_options.places = {home.path()};
    engine_options.installation = app::Installation::of_this_program();
    engine_options.single_plugins = {folder};
    engine_options.plugin_folders = common.plugin_folders;
    engine_options.allowed_addresses = options.allowed_addresses;
    const OwnEngine engine(engine_options, LogLevel::warn);
    Client client = engine.client();

    json::array log;
    const std::string id = begin_single_run(client, options.single);
    const json::object run = follow(client, id, signals, [&](const json::object& entry) {
        common.json ? static_cast<void>(log.push_back(entry)) : print_entry(entry);
    });
    finish(has_succeeded(run) ? Exit::ok : Exit::failed);
    if (common.json) {
        const json::object answer{{"run", run}, {"log", std::move(log)}};
        std::printf("%s\n", json::serialize(answer).c_str());
        return;
    }
    print_members("usage", run.at("usageJson"));
    print_members("result", run.at("resultJson"));
    print_end(run);
}

}  // namespace paperclip::cli
