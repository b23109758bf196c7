#include "engine/cli/client.hpp"
#include "engine/cli/command_line.hpp"
#include "engine/cli/follow.hpp"

#include <memory>

#include <boost/json.hpp>

namespace paperclip::cli {
namespace {

namespace json = boost::json;

struct HeartbeatOptions {
    std::string agent;
    std::string company;
};

void run_heartbeat(const Common& common, const HeartbeatOptions& options, const Finish& finish) {
    Client client(common.api_url);
    const std::string query = options.company.empty() ? "" : "?companyId=" + options.company;
    const json::value answer =
        client.post("/agents/" + options.agent + "/heartbeat/invoke" + query, json::object{});
    const auto* id = answer.as_object().if_contains("id");
    if (id == nullptr) {
        throw Error(ErrorKind::conflict, "the agent was not woken: " + json::serialize(answer));
    }
    finish(follow_run(client, std::string(id->as_string()), common.json) ? Exit::ok : Exit::failed);
}

}  // namespace

void add_heartbeat(CLI::App& app, Common& common, const Finish& finish) {
    auto options = std::make_shared<HeartbeatOptions>();
    auto* group = app.add_subcommand("heartbeat", "Heartbeats of agents");
    group->require_subcommand(1);
    auto* command = group->add_subcommand("run", "Wake an agent and follow its run to the end");
    command->add_option("--agent-id,agent", options->agent, "Id or short name of the agent")
        ->envname("PAPERCLIP_AGENT_ID")
        ->required();
    command->add_option("--company-id", options->company, "Company of an agent given by name")
        ->envname("PAPERCLIP_COMPANY_ID");
    command->callback([&common, options, finish] { run_heartbeat(common, *options, finish); });
}

}  // namespace paperclip::cli
