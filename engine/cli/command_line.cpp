#include "engine/cli/command_line.hpp"

#include "engine/base/json.hpp"

#include <algorithm>
#include <cstdio>

namespace paperclip::cli {
namespace {

Exit exit_of(const Error& error) {
    if (error.code() == "data_folder_in_use") return Exit::unreachable;
    switch (error.kind()) {
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
        std::fprintf(stderr, "paperclipai: %s\n", printable(message).c_str());
        return;
    }
    std::string text;
    JsonWriter out(text);
    out.begin_object().member("error", message);
    out.member("code", code.empty() ? "refused" : code);
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

std::string printable(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool c1 =
            byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if ((byte >= 0x20 && byte != 0x7F && !c1) || byte == '\n' || byte == '\t') {
            out += text[i];
            continue;
        }
        constexpr std::string_view k_digits = "0123456789abcdef";
        const auto code = c1 ? static_cast<unsigned char>(text[++i]) : byte;
        out += "\\x";
        out += k_digits[code >> 4];
        out += k_digits[code & 15];
    }
    return out;
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
        const bool help = e.get_exit_code() == 0;
        // The parser may have stopped before it came to the flag.
        common.json =
            common.json || std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
        if (common.json && !help) {
            say(common, e.what(), "usage");
        } else {
            app.exit(e);
        }
        return static_cast<int>(help ? Exit::ok : Exit::usage);
    } catch (const Error& e) {
        say(common, e.message(), e.code());
        return static_cast<int>(exit_of(e));
    } catch (const std::filesystem::filesystem_error& e) {
        say(common, e.what(), "file");
        return static_cast<int>(Exit::usage);
    } catch (const std::exception& e) {
        say(common, e.what(), "internal");
        return static_cast<int>(Exit::internal);
    }
    return static_cast<int>(exit);
}

}  // namespace paperclip::cli
