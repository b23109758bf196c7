#include "engine/cli/command_line.hpp"
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
}

}  // namespace paperclip::cli
