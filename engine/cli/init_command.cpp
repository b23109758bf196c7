#include "engine/agents/agents.hpp"
#include "engine/base/files.hpp"
#include "engine/cli/command_line.hpp"
#include "engine/declaration/format.hpp"
#include "engine/declaration/values.hpp"

#include <memory>

namespace paperclip::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_company = R"(schema: paperclip.company/v1
slug: {slug}
name: {slug}
mission: Say here what the company is for.

agents:
  lead:
    role: ceo
    adapter: { type: fake }
    budget: $10/month
    heartbeat: { every: 1h }
  worker:
    role: engineer
    reportsTo: lead
    adapter: { type: fake }
    budget: $10/month
    heartbeat: { every: 15m }

issues:
  first:
    title: Try the company out
    assignee: worker
)";

/// What the folder's name makes a company's key.
std::string slug_for(const fs::path& folder) {
    const std::string name = fs::absolute(folder).lexically_normal().filename().string();
    const std::string slug = agents::slug_of(name, "company").substr(0, 50);
    return declaration::is_slug(slug) ? slug : agents::slug_of(slug + "-company");
}

void init(const Common& common, const fs::path& folder) {
    const fs::path file = folder / "company.yaml";
    if (fs::exists(file)) throw Error(ErrorKind::conflict, file.string() + " exists already");
    const std::string slug = slug_for(folder);
    std::string text = k_company;
    for (auto at = text.find("{slug}"); at != std::string::npos; at = text.find("{slug}")) {
        text.replace(at, 6, slug);
    }
    fs::create_directories(folder);
    write_file_durably(file, declaration::format_yaml(text));
    std::string said = file.string() + "\nNext: paperclipai plan " + folder.string();
    if (common.json) {
        said.clear();
        JsonWriter(said).begin_object().member("file", file.string()).end_object();
    }
    std::printf("%s\n", said.c_str());
}

}  // namespace

void add_init(CLI::App& app, Common& common, const Finish&) {
    auto folder = std::make_shared<fs::path>();
    auto* command = app.add_subcommand("init", "Begin a company: a folder with company.yaml");
    command->add_option("folder", *folder, "Such as companies/acme")->required();
    command->callback([&common, folder] { init(common, *folder); });
}

}  // namespace paperclip::cli
