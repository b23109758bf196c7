#include "engine/cli/command_line.hpp"
#include "engine/cli/plugin_files.hpp"
#include "engine/cli/plugin_run.hpp"
#include "engine/pluginhost/agent_plugin.hpp"

#include <memory>

#include <agent/agent_kit.hpp>

namespace paperclip::cli {

struct PluginView {
    std::string id;
    std::string version;
    std::string abi;
    std::string folder;
    std::vector<std::string> interfaces;
    std::vector<std::string> adapter_types;
    std::string problem;  ///< why it cannot be used, or empty
};
BOOST_DESCRIBE_STRUCT(PluginView, (),
                      (id, version, abi, folder, interfaces, adapter_types, problem))

struct PluginList {
    std::vector<PluginView> plugins;
    std::vector<std::string> problems;
};
BOOST_DESCRIBE_STRUCT(PluginList, (), (plugins, problems))

struct BrokenRule {
    std::string rule;
    std::string message;
};
BOOST_DESCRIBE_STRUCT(BrokenRule, (), (rule, message))

struct PluginReport {
    std::string folder;
    std::vector<BrokenRule> findings;
};
BOOST_DESCRIBE_STRUCT(PluginReport, (), (folder, findings))

namespace {

struct NewPlugin {
    std::string name;
    std::string language = "cpp";
    std::filesystem::path parent = ".";
};

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

PluginView look_at(const pluginhost::FoundPlugin& found) {
    PluginView view{.id = found.manifest.id,
                    .version = found.manifest.version,
                    .abi = found.manifest.abi,
                    .folder = found.folder.string(),
                    .interfaces = found.manifest.interfaces,
                    .adapter_types = found.manifest.adapter_types};
    try {
        pluginhost::load(found);
    } catch (const Error& e) {
        view.problem = e.message();
    }
    return view;
}

void list(const Common& common, const Finish& finish) {
    PluginList answer;
    for (const auto& found :
         pluginhost::find_plugins(common.all_plugin_folders(), answer.problems)) {
        answer.plugins.push_back(look_at(found));
        if (!answer.plugins.back().problem.empty()) finish(Exit::failed);
    }
    if (!answer.problems.empty()) finish(Exit::failed);
    if (common.json) {
        std::printf("%s\n", to_json(answer).c_str());
        return;
    }
    for (const auto& plugin : answer.plugins) {
        std::printf("%-20s %-10s %s\n", plugin.id.c_str(), plugin.version.c_str(),
                    joined(plugin.adapter_types.empty() ? plugin.interfaces : plugin.adapter_types)
                        .c_str());
        if (!plugin.problem.empty()) std::printf("    %s\n", plugin.problem.c_str());
    }
    for (const auto& problem : answer.problems) std::printf("%s\n", problem.c_str());
}

/// Runs the conformance kit; this process has no thread but this one.
void check_folder(const std::string& folder, const Common& common, const Finish& finish) {
    PluginReport report{.folder = folder};
    for (auto& finding : check::agent::check_plugin(folder)) {
        report.findings.push_back({std::move(finding.rule), std::move(finding.message)});
    }
    if (!report.findings.empty()) finish(Exit::failed);
    if (common.json) {
        std::printf("%s\n", to_json(report).c_str());
        return;
    }
    for (const auto& finding : report.findings) {
        std::printf("%s: %s\n", finding.rule.c_str(), finding.message.c_str());
    }
    if (report.findings.empty()) {
        std::printf("%s keeps the %zu rules of an agent plugin\n", folder.c_str(),
                    check::agent::rules().size());
    }
}

void write_new(const NewPlugin& wanted, const Common& common) {
    const auto folder = write_new_plugin(wanted.name, wanted.language, wanted.parent);
    if (common.json) {
        std::string text;
        JsonWriter(text).begin_object().member("folder", folder.string()).end_object();
        std::printf("%s\n", text.c_str());
        return;
    }
    std::printf("%s\nNext: make -C %s PAPERCLIP_SDK=X, see its README.md\n", folder.c_str(),
                folder.c_str());
}

void add_new(CLI::App& group, Common& common) {
    auto* command = group.add_subcommand("new", "Begin an agent plugin: a folder that builds");
    auto wanted = std::make_shared<NewPlugin>();
    command->add_option("NAME", wanted->name, "Lower-case letters, digits, dashes: agent-hello")
        ->required();
    command->add_option("--lang", wanted->language, "Its language")
        ->check(CLI::IsMember({"c", "cpp"}))
        ->capture_default_str();
    command->add_option("--output", wanted->parent, "Where its folder is made")
        ->capture_default_str();
    command->callback([&common, wanted] { write_new(*wanted, common); });
}

void add_plugin_run(CLI::App& group, Common& common, const Finish& finish) {
    auto* command =
        group.add_subcommand("run", "One heartbeat of a plugin's agent, without a company");
    auto options = std::make_shared<PluginRun>();
    auto& single = options->single;
    command->add_option("PLUGIN", options->plugin, "Its folder, or a file in it")
        ->required()
        ->check(CLI::ExistingPath);
    command->add_option("--type", single.adapter, "The adapter type, if it offers several");
    command->add_option("--config", single.config, "The agent's configuration, as JSON")
        ->capture_default_str();
    auto* prompt =
        command->add_option("--prompt", single.task, "The task; without one there is none");
    command->add_option("--input", options->input, "File with the task; - is standard input")
        ->excludes(prompt);
    command->add_option("--budget", single.budget, "The most that it may cost")
        ->capture_default_str();
    command->add_option("--allow-address", options->allowed_addresses,
                        "HOST:PORT of a private address that its HTTP requests may reach");
    command->callback([&common, options, finish] { run_plugin(common, *options, finish); });
}

}  // namespace

void add_plugin(CLI::App& app, Common& common, const Finish& finish) {
    auto* group = app.add_subcommand("plugin", "Plugins: agent backends, storages");
    group->require_subcommand(1);
    group->add_subcommand("list", "The plugins that an engine would load")
        ->callback([&common, finish] { list(common, finish); });
    auto* command =
        group->add_subcommand("check", "Does an agent plugin keep the rules of its interface?");
    auto folder = std::make_shared<std::string>();
    command->add_option("FOLDER", *folder, "The plugin's folder: plugin.json and the library")
        ->required();
    command->callback([&common, finish, folder] { check_folder(*folder, common, finish); });
    add_new(*group, common);
    add_plugin_run(*group, common, finish);
}

}  // namespace paperclip::cli
