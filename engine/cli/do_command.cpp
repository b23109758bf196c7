#include "engine/base/utf8.hpp"
#include "engine/cli/client.hpp"
#include "engine/cli/command_line.hpp"
#include "engine/cli/follow.hpp"
#include "engine/cli/own_engine.hpp"
#include "engine/cli/single_run.hpp"

#include <memory>
#include <optional>

namespace paperclip::cli {
namespace {

/// An engine that answers at the API's address, or one of our own while the command lasts.
class SomeEngine {
 public:
    explicit SomeEngine(const Common& common) : client_(common.api_url) {
        try {
            client_.get("/health");
            return;
        } catch (const Error& e) {
            if (e.code() != "engine_unreachable") throw;
        }
        app::EngineOptions options;
        options.places = common.places();
        options.installation = app::Installation::of_this_program();
        options.plugin_folders = common.plugin_folders;
        own_.emplace(options, LogLevel::error);
        client_ = own_->client();
    }

    Client& client() { return client_; }

 private:
    Client client_;
    std::optional<OwnEngine> own_;
};

void work(const Common& common, const SingleRun& single, const Finish& finish) {
    if (single.task.find_first_not_of(" \t\n") == std::string::npos) {
        throw Error(ErrorKind::invalid, "task: expected what is to be done, found nothing");
    }
    if (find_invalid_utf8(single.task) != std::string::npos) {
        throw Error(ErrorKind::invalid, "task: expected UTF-8");
    }
    SomeEngine engine(common);
    const std::string run = begin_single_run(engine.client(), single);
    finish(follow_run(engine.client(), run, common.json) ? Exit::ok : Exit::failed);
}

}  // namespace

void add_do(CLI::App& app, Common& common, const Finish& finish) {
    auto single = std::make_shared<SingleRun>();
    auto* command = app.add_subcommand("do", "One task for one agent, followed to its end");
    command->add_option("task", single->task, "What to do")->required();
    command->add_option("--adapter", single->adapter, "The agent backend")->required();
    command->add_option("--config", single->config, "The backend's configuration, as JSON")
        ->capture_default_str();
    command->add_option("--budget", single->budget, "The most that it may cost")
        ->capture_default_str();
    command->callback([&common, single, finish] { work(common, *single, finish); });
}

}  // namespace paperclip::cli
