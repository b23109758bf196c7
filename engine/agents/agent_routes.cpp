#include "engine/agents/setup.hpp"

#include <boost/json.hpp>

namespace paperclip::agents {

using http::Call;
using http::Method;
using http::None;
using http::Rule;
using http::Subject;
using storage::operator""_sql;

namespace {

/// A patch of an agent; what is not a member of the agent says how to apply it.
struct AgentChange : Agent {
    bool replace_adapter_config = false;
};
BOOST_DESCRIBE_STRUCT(AgentChange, (Agent), (replace_adapter_config))

/// `{id}` is a UUID, or a key such as "eddie" in the company that the query or the caller names.
std::optional<http::Resolved> resolve(Core core, std::string_view text,
                                      const http::Request& request) {
    std::optional<http::Resolved> found;
    const auto take = [&](storage::Row row) {
        found = http::Resolved{Id::trusted(row[0].as_text()), Id::trusted(row[1].as_text())};
    };
    if (const auto id = Id::parse(text)) {
        core.store.each("agent.resolve"_sql, {{"id", *id}}, take);
    } else if (const auto company = Id::parse(request.query_value("companyId").value_or(""))) {
        core.store.each("agent.resolve_url_key"_sql, {{"company_id", *company}, {"url_key", text}},
                        take);
    }
    return found;
}

void must_hire(Agents& agents, const Actor& actor) {
    if (actor.is_board() || agents.get(*actor.agent_id).permissions.can_create_agents) return;
    throw Error(ErrorKind::forbidden, "Missing permission: agents:create", {},
                R"({"reason":"deny_no_grant"})");
}

/// Nobody changes an agent's power from below: its program, budget and grants are the board's.
void must_configure(const Actor& actor) {
    if (actor.is_board()) return;
    throw Error(ErrorKind::forbidden,
                "Missing permission: agents:configure or agents:suggest-changes.", {},
                R"({"reason":"deny_no_grant"})");
}

/// Whoever hires does not say what runs on this machine: that would be a shell for every agent that
/// may hire.
void must_not_command(const Actor& actor, const Agent& hired) {
    if (actor.is_board()) return;
    const auto refuse_member = [](const std::string& member) {
        throw Error(ErrorKind::forbidden,
                    "An agent may not set " + member + ": what runs on this machine is the board's",
                    "host_command_forbidden");
    };
    const auto config = hired.adapter_config.parse();
    for (const char* name : {"command", "args", "cwd", "env", "instructionsFilePath"}) {
        if (config.is_object() && config.get_object().contains(name)) {
            refuse_member(std::string("adapterConfig.") + name);
        }
    }
    if (!parse_runtime_config(hired.runtime_config).heartbeat.check.empty()) {
        refuse_member("runtimeConfig.heartbeat.check");
    }
}

}  // namespace

void add_routes(http::Router& router, Core core, Agents& agents) {
    router.resolve(Subject::agent, [core](std::string_view text, const http::Request& request) {
        return resolve(core, text, request);
    });

    router.add<None, None, std::vector<AgentView>>(
        {Method::get, "/companies/{companyId}/agents", Rule::member, Subject::company,
         "List the agents of a company"},
        [&](Call& call) {
            if (!call.request.query.empty()) {
                throw Error(ErrorKind::invalid, "This list takes no query parameters");
            }
            return agents.list(call.company_id, call.actor);
        });

    router.add<None, Agent, AgentView>({Method::post, "/companies/{companyId}/agents", Rule::member,
                                        Subject::company, "Create an agent", 201},
                                       [&](Call& call, Patch<Agent>& input) {
                                           must_hire(agents, call.actor);
                                           must_not_command(call.actor, input.value);
                                           return agents.create(call.actor, call.company_id, input);
                                       });

    router.add<None, None, std::vector<OrgNode>>(
        {Method::get, "/companies/{companyId}/org", Rule::member, Subject::company,
         "The org chart as a tree"},
        [&](Call& call) { return agents.org(call.company_id); });

    router.add<None, None, AgentDetail>(
        {Method::get, "/agents/me", Rule::agent, Subject::none, "The agent that calls"},
        [&](Call& call) { return agents.detail(*call.actor.agent_id); });

    router.add<None, None, AgentDetail>(
        {Method::get, "/agents/{id}", Rule::member, Subject::agent, "Get an agent"},
        [&](Call& call) {
            AgentDetail detail = agents.detail(call.subject_id);
            if (call.actor.is_agent() && call.actor.agent_id != call.subject_id) {
                detail.adapter_config = detail.runtime_config = Json{};
            }
            return detail;
        });

    router.add<None, AgentChange, AgentView>(
        {Method::patch, "/agents/{id}", Rule::member, Subject::agent, "Change an agent"},
        [&](Call& call, Patch<AgentChange>& input) {
            must_configure(call.actor);
            return agents.patch(call.actor, call.subject_id, base_of<Agent>(input),
                                input.value.replace_adapter_config);
        });

    router.add<None, Permissions, AgentDetail>(
        {Method::patch, "/agents/{id}/permissions", Rule::board_of_company, Subject::agent,
         "Set what an agent may do"},
        [&](Call& call, Patch<Permissions>& input) {
            Permissions permissions = agents.get(call.subject_id).permissions;
            input.apply_to(permissions);
            return agents.set_permissions(call.actor, call.subject_id, permissions);
        });

    router.add<None, None, AgentView>(
        {Method::post, "/agents/{id}/clear-error", Rule::board_of_company, Subject::agent,
         "Put an agent that failed back to work"},
        [&](Call& call) { return agents.clear_error(call.actor, call.subject_id); });
}

}  // namespace paperclip::agents
