#include "engine/base/id.hpp"
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

/// The agent's id. A short name is looked for in the company that was named, or in all.
std::string agent_id(Client& client, const HeartbeatOptions& options) {
    if (Id::parse(options.agent)) return options.agent;
    std::vector<std::string> found;
    const json::value companies = client.get("/companies");
    for (const auto& company : companies.as_array()) {
        const std::string id(company.as_object().at("id").as_string());
        if (!options.company.empty() && options.company != id) continue;
        const json::value agents = client.get("/companies/" + id + "/agents");
        for (const auto& agent : agents.as_array()) {
            const auto& fields = agent.as_object();
            if (fields.at("urlKey").as_string() != options.agent) continue;
            found.emplace_back(fields.at("id").as_string());
        }
    }
    if (found.size() == 1) return found.front();
    throw Error(found.empty() ? ErrorKind::not_found : ErrorKind::conflict,
                found.empty()
                    ? "no agent \"" + options.agent + "\"; `paperclipai export` shows a company's"
                    : "more than one company has an agent \"" + options.agent +
                          "\"; say which with --company-id");
}

void run_heartbeat(const Common& common, const HeartbeatOptions& options, const Finish& finish) {
    Client client(common.api_url);
    const json::value answer =
        client.post("/agents/" + agent_id(client, options) + "/heartbeat/invoke", json::object{});
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
