#include "engine/base/files.hpp"
#include "engine/cli/client.hpp"
#include "engine/cli/command_line.hpp"
#include "engine/declaration/check.hpp"
#include "engine/declaration/folder.hpp"
#include "engine/declaration/format.hpp"
#include "engine/pluginhost/agent_plugin.hpp"
#include "engine/runs/adapter_catalog.hpp"

#include <memory>

#include <boost/json.hpp>

namespace paperclip::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct CompanyOptions {
    fs::path folder;      ///< of the declaration
    fs::path output;      ///< of plan and export
    std::string company;  ///< as company_id() takes it
    std::string agent;
    bool check_only = false;
};

json::object body_of(const declaration::Files& files) {
    json::object texts;
    for (const auto& [path, content] : files) texts[path] = content;
    return {{"files", std::move(texts)}};
}

/// Prints the answer, or what it says for people.
void print(const Common& common, const json::value& answer) {
    if (common.json) return static_cast<void>(std::printf("%s\n", json::serialize(answer).c_str()));
    const auto* text = answer.as_object().if_contains("text");
    if (text != nullptr) std::fputs(printable(text->as_string()).c_str(), stdout);
}

/// Without an engine: only the installed adapters are asked.
void validate(const Common& common, const CompanyOptions& options, const Finish& finish) {
    std::vector<std::string> problems;
    const pluginhost::AdapterTypes types(
        pluginhost::find_plugins(common.all_plugin_folders(), problems), problems);
    const auto files = declaration::read_folder(options.folder);
    const auto findings =
        declaration::check(declaration::read_source(files), files, runs::AdapterCatalog(types));
    const std::string text = common.json ? to_json(findings) + "\n" : printable(to_text(findings));
    std::fputs(text.c_str(), stdout);
    if (declaration::has_errors(findings)) return finish(Exit::usage);
    if (!common.json) std::printf("%s is valid\n", options.folder.c_str());
}

void plan(const Common& common, const CompanyOptions& options, const Finish& finish) {
    json::object request = body_of(declaration::read_folder(options.folder));
    const json::value answer = Client(common.api_url).post("/declarations/plan", request);
    print(common, answer);
    const auto& fields = answer.as_object();
    if (!options.output.empty()) {
        request["fingerprint"] = fields.at("fingerprint");
        write_file_durably(fs::absolute(options.output), json::serialize(request));
    }
    if (!fields.at("changes").as_array().empty()) finish(Exit::differs);
}

/// Of a folder, or of a file that `plan -o` wrote.
void apply(const Common& common, const CompanyOptions& options) {
    const json::value request = fs::is_directory(options.folder)
                                    ? body_of(declaration::read_folder(options.folder))
                                    : parse_json(read_file(options.folder));
    const json::value answer = Client(common.api_url).post("/declarations/apply", request);
    if (common.json) return print(common, answer);
    const auto& fields = answer.as_object();
    const bool changed = fields.at("changed").as_bool();
    std::printf(changed ? "applied: %zu changes, revision %lld\n" : "nothing to change\n",
                fields.at("plan").as_object().at("changes").as_array().size(),
                static_cast<long long>(fields.at("revision").as_int64()));
}

void explain(const Common& common, const CompanyOptions& options) {
    json::object request = body_of(declaration::read_folder(options.folder));
    request["agent"] = options.agent;
    print(common, Client(common.api_url).post("/declarations/explain", request));
}

bool is_declared_as(Client& client, const std::string& company, const std::string& slug) {
    const json::value drift = client.get("/companies/" + company + "/drift");
    return drift.as_object().at("company").as_string() == slug;
}

/// The id of the company that `text` names: its id, its issue prefix, its name or the slug that it
/// was declared by.
std::string company_id(Client& client, const std::string& text) {
    const json::value companies = client.get("/companies");
    std::string known;
    for (const auto& company : companies.as_array()) {
        const auto& fields = company.as_object();
        const std::string id(fields.at("id").as_string());
        for (const char* field : {"id", "issuePrefix", "name"}) {
            if (fields.at(field).as_string() == text) return id;
        }
        if (!text.empty() && is_declared_as(client, id, text)) return id;
        known += known.empty() ? "" : ", ";
        known += std::string(fields.at("issuePrefix").as_string());
    }
    if (text.empty() && companies.as_array().size() == 1) {
        return std::string(companies.as_array()[0].as_object().at("id").as_string());
    }
    throw Error(ErrorKind::not_found,
                "no company \"" + text + "\"; there are: " + (known.empty() ? "none" : known));
}

void drift(const Common& common, const CompanyOptions& options, const Finish& finish) {
    Client client(common.api_url);
    const json::value answer =
        client.get("/companies/" + company_id(client, options.company) + "/drift");
    print(common, answer);
    if (!answer.as_object().at("changes").as_array().empty()) finish(Exit::differs);
}

void export_company(const Common& common, const CompanyOptions& options) {
    Client client(common.api_url);
    const json::value answer =
        client.get("/companies/" + company_id(client, options.company) + "/declaration");
    if (common.json) return print(common, answer);
    for (const auto& [path, content] : answer.as_object().at("files").as_object()) {
        if (options.output.empty()) {
            std::printf("# %s\n%s", std::string(path).c_str(), content.as_string().c_str());
            continue;
        }
        const fs::path file = options.output / std::string(path);
        if (fs::exists(file)) {
            throw Error(ErrorKind::conflict, file.string() + " exists; name a new folder");
        }
        fs::create_directories(file.parent_path());
        write_file_durably(file, content.as_string());
    }
}

void format(const Common& common, const CompanyOptions& options, const Finish& finish) {
    const fs::path file = options.folder / "company.yaml";
    const std::string before = read_file(file);
    const std::string after = declaration::format_yaml(before);
    const bool differs = before != after;
    if (common.json) {
        std::string text;
        JsonWriter w(text);
        w.begin_object().member("file", file.string()).member("differs", differs).end_object();
        std::printf("%s\n", text.c_str());
    } else if (differs) {
        std::printf("%s\n", file.c_str());
    }
    if (!differs) return;
    if (options.check_only) return finish(Exit::differs);
    write_file_durably(file, after);
}

CLI::App* add(CLI::App& app, const char* name, const char* what, CompanyOptions& options) {
    auto* command = app.add_subcommand(name, what);
    command->add_option("folder", options.folder, "The company's folder, with company.yaml")
        ->required();
    return command;
}

}  // namespace

void add_company(CLI::App& app, Common& common, const Finish& finish) {
    auto options = std::make_shared<CompanyOptions>();
    add(app, "validate", "Check a declared company; needs no engine", *options)
        ->callback([&common, options, finish] { validate(common, *options, finish); });
    auto* plans = add(app, "plan", "What apply would change, and what it can cost", *options);
    plans->add_option("-o,--output", options->output, "Keep the plan, for `apply FILE`");
    plans->callback([&common, options, finish] { plan(common, *options, finish); });
    add(app, "apply", "Make a company what is declared", *options)->callback([&common, options] {
        apply(common, *options);
    });
    auto* explains =
        add(app, "explain", "What an agent can spend, reach, change and hire", *options);
    explains->add_option("agent", options->agent, "Its key in company.yaml")->required();
    explains->callback([&common, options] { explain(common, *options); });

    auto* drifts = app.add_subcommand("drift", "What was changed since the last apply");
    drifts->add_option("company", options->company, "Id, issue prefix, name or slug");
    drifts->callback([&common, options, finish] { drift(common, *options, finish); });
    auto* exports = app.add_subcommand("export", "A company as a declaration");
    exports->add_option("company", options->company, "Id, issue prefix, name or slug");
    exports->add_option("-o,--output", options->output, "Folder to write to");
    exports->callback([&common, options] { export_company(common, *options); });

    auto* formats = add(app, "fmt", "Bring company.yaml into its canonical form", *options);
    formats->add_flag("--check", options->check_only, "Change nothing");
    formats->callback([&common, options, finish] { format(common, *options, finish); });
    app.add_subcommand("schema", "The JSON Schema of company.yaml, for editors")->callback([] {
        std::printf("%s\n", declaration::json_schema().c_str());
    });
}

}  // namespace paperclip::cli
