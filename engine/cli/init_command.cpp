#include "engine/base/files.hpp"
#include "engine/cli/command_line.hpp"

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

void init(const fs::path& folder) {
    const fs::path file = folder / "company.yaml";
    if (fs::exists(file)) throw Error(ErrorKind::conflict, file.string() + " exists already");
    const std::string slug = fs::absolute(folder).lexically_normal().filename().string();
    std::string text = k_company;
    for (auto at = text.find("{slug}"); at != std::string::npos; at = text.find("{slug}")) {
        text.replace(at, 6, slug);
    }
    fs::create_directories(folder);
    write_file_durably(file, text);
    std::printf("%s\nNext: paperclipai plan %s\n", file.c_str(), folder.c_str());
}

}  // namespace

void add_init(CLI::App& app, Common&, const Finish&) {
    auto folder = std::make_shared<fs::path>();
    auto* command = app.add_subcommand("init", "Begin a company: a folder with company.yaml");
    command->add_option("folder", *folder, "Such as companies/acme")->required();
    command->callback([folder] { init(*folder); });
}

}  // namespace paperclip::cli
