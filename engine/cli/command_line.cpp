#include "engine/cli/command_line.hpp"

#include "engine/base/json.hpp"

#include <cstdio>

namespace paperclip::cli {
namespace {

Exit exit_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid:
        case ErrorKind::unprocessable:
        case ErrorKind::too_large:
            return Exit::usage;
        case ErrorKind::unavailable:
            return Exit::unreachable;
        case ErrorKind::internal:
            return Exit::internal;
        default:
            return Exit::failed;
    }
}

void say(const Common& common, const std::string& message, const std::string& code) {
    if (!common.json) {
        std::fprintf(stderr, "paperclipai: %s\n", message.c_str());
        return;
    }
    std::string text;
    JsonWriter out(text);
    out.begin_object().member("error", message);
    if (!code.empty()) out.member("code", code);
    out.end_object();
    std::printf("%s\n", text.c_str());
}

void add_version(CLI::App& app, const Common& common) {
    app.add_subcommand("version", "Print the version")->callback([&common] {
        const std::string version(app::version());
        std::printf(common.json ? "{\"version\":\"%s\"}\n" : "paperclipai %s\n", version.c_str());
    });
}

}  // namespace

app::Places Common::places() const {
    return {data_dir.empty() ? app::default_data_folder() : std::filesystem::absolute(data_dir)};
}

std::vector<std::filesystem::path> Common::all_plugin_folders() const {
    auto folders = plugin_folders;
    folders.push_back(app::Installation::of_this_program().plugins);
    return folders;
}

int run(int argc, char** argv) {
    Common common;
    Exit exit = Exit::ok;
    const Finish finish = [&](Exit code) { exit = code; };
    CLI::App app("Runs companies of AI agents", "paperclipai");
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("--version", std::string(app::version()));
    app.add_flag("--json", common.json, "Answer as JSON");
    app.add_option("--api-url", common.api_url, "The engine to talk to")
        ->envname("PAPERCLIP_API_URL")
        ->capture_default_str();
    app.add_option("--data-dir", common.data_dir,
                   "Where the instance keeps its files (default: ~/.paperclip/instances/default)");
    app.add_option("--plugins", common.plugin_folders, "A further folder of plugins");
    add_version(app, common);
    add_run(app, common, finish);
    add_company(app, common, finish);
    add_init(app, common, finish);
    add_do(app, common, finish);
    add_heartbeat(app, common, finish);
    add_plugin(app, common, finish);
    add_backup(app, common, finish);
    add_doctor(app, common, finish);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const int code = app.exit(e);
        return code == 0 ? 0 : static_cast<int>(Exit::usage);
    } catch (const Error& e) {
        say(common, e.message(), e.code());
        return static_cast<int>(exit_of(e.kind()));
    } catch (const std::exception& e) {
        say(common, e.what(), "internal");
        return static_cast<int>(Exit::internal);
    }
    return static_cast<int>(exit);
}

}  // namespace paperclip::cli
