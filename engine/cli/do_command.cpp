#include "engine/app/engine.hpp"
#include "engine/app/services.hpp"
#include "engine/base/money.hpp"
#include "engine/cli/client.hpp"
#include "engine/cli/command_line.hpp"
#include "engine/cli/follow.hpp"

#include <csignal>
#include <memory>
#include <optional>

#include <boost/json.hpp>

namespace paperclip::cli {
namespace {

namespace json = boost::json;

struct DoOptions {
    std::string task;
    std::string adapter;
    std::string config = "{}";
    std::string budget = "$1";
};

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
        static Redactor redactor;
        configure_log(LogFormat::text, LogLevel::error, redactor);
        ::signal(SIGPIPE, SIG_IGN);
        app::EngineOptions options;
        options.places = common.places();
        options.installation = app::Installation::of_this_program();
        options.plugin_folders = common.plugin_folders;
        options.port = 0;
        own_ = std::make_unique<app::Engine>(std::move(options), redactor);
        own_->start();
        client_ = Client("http://127.0.0.1:" + std::to_string(own_->port()));
    }
    ~SomeEngine() {
        if (own_) own_->stop(false);
    }
    SomeEngine(const SomeEngine&) = delete;
    SomeEngine& operator=(const SomeEngine&) = delete;

    Client& client() { return client_; }

 private:
    Client client_;
    std::unique_ptr<app::Engine> own_;
};

std::string id_of(const json::value& answer) {
    return std::string(answer.as_object().at("id").as_string());
}

std::int64_t cents_of(const std::string& text) {
    if (const auto money = parse_dollars(text)) return money->to_cents();
    throw Error(ErrorKind::invalid, "--budget " + text + ": expected dollars such as $1.50");
}

/// The company that single tasks are done in.
std::string task_company(Client& client) {
    constexpr const char* k_name = "Single tasks";
    const json::value companies = client.get("/companies");
    for (const auto& company : companies.as_array()) {
        if (company.as_object().at("name").as_string() == k_name) return id_of(company);
    }
    return id_of(client.post("/companies", json::object{{"name", k_name}}));
}

void work(const Common& common, const DoOptions& options, const Finish& finish) {
    SomeEngine engine(common);
    Client& client = engine.client();
    const std::string company = task_company(client);
    const std::string agent =
        id_of(client.post("/companies/" + company + "/agents",
                          json::object{{"name", options.adapter},
                                       {"role", "general"},
                                       {"adapterType", options.adapter},
                                       {"adapterConfig", parse_json(options.config)},
                                       {"budgetMonthlyCents", cents_of(options.budget)},
                                       {"runtimeConfig", {{"heartbeat", {{"enabled", false}}}}}}));
    const std::string issue = id_of(client.post(
        "/companies/" + company + "/issues",
        json::object{{"title", options.task}, {"status", "backlog"}, {"assigneeAgentId", agent}}));
    const json::value run =
        client.post("/agents/" + agent + "/wakeup",
                    json::object{{"source", "on_demand"}, {"payload", {{"issueId", issue}}}});
    finish(follow_run(client, id_of(run), common.json) ? Exit::ok : Exit::failed);
}

}  // namespace

void add_do(CLI::App& app, Common& common, const Finish& finish) {
    auto options = std::make_shared<DoOptions>();
    auto* command = app.add_subcommand("do", "One task for one agent, followed to its end");
    command->add_option("task", options->task, "What to do")->required();
    command->add_option("--adapter", options->adapter, "The agent backend")->required();
    command->add_option("--config", options->config, "The backend's configuration, as JSON")
        ->capture_default_str();
    command->add_option("--budget", options->budget, "The most that it may cost")
        ->capture_default_str();
    command->callback([&common, options, finish] { work(common, *options, finish); });
}

}  // namespace paperclip::cli
