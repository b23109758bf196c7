#include "engine/app/opened_store.hpp"
#include "engine/app/running_engine.hpp"
#include "engine/cli/client.hpp"
#include "engine/cli/command_line.hpp"
#include "engine/pluginhost/agent_plugin.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/json.hpp>

namespace paperclip::cli {

enum class CheckLevel { ok, warn, fail };
BOOST_DESCRIBE_ENUM(CheckLevel, ok, warn, fail)

struct Check {
    std::string name;
    CheckLevel level = CheckLevel::ok;
    std::string found;
    std::string fix;  ///< what to do; empty when all is well
};
BOOST_DESCRIBE_STRUCT(Check, (), (name, level, found, fix))

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t k_little_space = 1ull << 30;
constexpr rlim_t k_few_files = 1024;

Check check_folder(const app::Places& places) {
    if (!fs::exists(places.root)) {
        return {"data folder", CheckLevel::ok, places.root.string() + " is not there yet", ""};
    }
    const auto mode = fs::status(places.root).permissions();
    const auto others = fs::perms::group_all | fs::perms::others_all;
    if ((mode & others) != fs::perms::none) {
        return {"data folder", CheckLevel::warn, places.root.string() + " is open to other users",
                "chmod 700 " + places.root.string()};
    }
    if (fs::space(places.root).available < k_little_space) {
        return {"data folder", CheckLevel::warn, "less than 1 GiB is free", "make room"};
    }
    return {"data folder", CheckLevel::ok, places.root.string(), ""};
}

Check check_store(const Common& common, const std::vector<pluginhost::FoundPlugin>& plugins) {
    if (!fs::exists(common.places().database())) {
        return {"store", CheckLevel::ok, "not there yet; `run` makes it", ""};
    }
    try {
        app::OpenedStore opened(common.places(), plugins);
        return {"store", CheckLevel::ok, "opens, with the schema of this program", ""};
    } catch (const Error& e) {
        if (e.code() != "data_folder_in_use") {
            return {"store", CheckLevel::fail, e.message(), "see the message"};
        }
    }
    try {
        const std::string url = app::url_of_engine(common.places());
        Client(url, "").get("/health");
        return {"store", CheckLevel::ok, "in use by the engine at " + url, ""};
    } catch (const Error& e) {
        return {"store", CheckLevel::fail, "in use, but " + e.message(),
                "try again, or end that engine"};
    }
}

Check check_shim(const app::Installation& installation) {
    if (::access(installation.shim.c_str(), X_OK) == 0) {
        return {"run shim", CheckLevel::ok, installation.shim.string(), ""};
    }
    return {"run shim", CheckLevel::fail, installation.shim.string() + " cannot be executed",
            "build or install it beside paperclipai"};
}

Check check_files() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const std::string found = std::to_string(limit.rlim_cur) + " open files allowed";
    if (limit.rlim_cur >= k_few_files) return {"limits", CheckLevel::ok, found, ""};
    return {"limits", CheckLevel::warn, found, "ulimit -n 4096"};
}

void check_adapters(const std::vector<pluginhost::FoundPlugin>& plugins,
                    std::vector<std::string>& problems, std::vector<Check>& checks) {
    const pluginhost::AdapterTypes types(plugins, problems);
    for (const auto& [name, type] : types.all()) {
        checks.push_back({"adapter " + name, CheckLevel::ok,
                          type.label + " from " + type.library->found().folder.string(), ""});
    }
    for (const auto& problem : problems) {
        checks.push_back({"plugin", CheckLevel::fail, problem, "see the message"});
    }
}

void print(const std::vector<Check>& checks) {
    for (const auto& check : checks) {
        std::printf("%-5s %-18s %s\n", std::string(word(check.level)).c_str(), check.name.c_str(),
                    check.found.c_str());
        if (!check.fix.empty()) std::printf("      %-18s -> %s\n", "", check.fix.c_str());
    }
}

void examine(const Common& common, const Finish& finish) {
    static const Redactor nothing_secret;
    configure_log(LogFormat::text, LogLevel::error, nothing_secret);
    std::vector<std::string> problems;
    const auto plugins = pluginhost::find_plugins(common.all_plugin_folders(), problems);
    std::vector<Check> checks;
    checks.push_back(check_folder(common.places()));
    checks.push_back(check_store(common, plugins));
    checks.push_back(check_shim(app::Installation::of_this_program()));
    checks.push_back(check_files());
    check_adapters(plugins, problems, checks);
    common.json ? static_cast<void>(std::printf("%s\n", to_json(checks).c_str())) : print(checks);
    for (const auto& check : checks) {
        if (check.level == CheckLevel::fail) finish(Exit::failed);
    }
}

}  // namespace

void add_doctor(CLI::App& app, Common& common, const Finish& finish) {
    app.add_subcommand("doctor", "Look whether all is well, and say what to fix")
        ->callback([&common, finish] { examine(common, finish); });
}

}  // namespace paperclip::cli
