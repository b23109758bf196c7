#include "engine/cli/single_run.hpp"

#include "engine/base/error.hpp"
#include "engine/base/json.hpp"
#include "engine/base/money.hpp"
#include "engine/base/utf8.hpp"

#include <boost/json.hpp>

namespace paperclip::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t k_max_title_bytes = 500;

std::string id_of(const json::value& answer) {
    return std::string(answer.as_object().at("id").as_string());
}

std::int64_t cents_of(const std::string& text) {
    const auto money = parse_dollars(text);
    // The API takes 0 for no limit at all.
    if (money && money->to_cents() > 0) return money->to_cents();
    throw Error(ErrorKind::invalid,
                "--budget " + text + ": expected dollars, at least $0.01, such as $1.50");
}

json::value config_of(const std::string& text) {
    try {
        return parse_json(text);
    } catch (const Error& e) {
        throw Error(ErrorKind::invalid, "--config: " + e.message());
    }
}

/// The company that single runs are done in.
std::string company_of_runs(Client& client) {
    constexpr const char* k_name = "Single tasks";
    const json::value companies = client.get("/companies");
    for (const auto& company : companies.as_array()) {
        if (company.as_object().at("name").as_string() == k_name) return id_of(company);
    }
    return id_of(client.post("/companies", json::object{{"name", k_name}}));
}

/// The first line is the title; what does not fit into that is in the description.
json::object issue_of(const std::string& task, const std::string& agent) {
    const std::string title(utf8_prefix(task.substr(0, task.find('\n')), k_max_title_bytes));
    json::object issue{{"title", title}, {"status", "backlog"}, {"assigneeAgentId", agent}};
    if (title != task) issue["description"] = task;
    return issue;
}

}  // namespace

std::string begin_single_run(Client& client, const SingleRun& single) {
    const std::string company = company_of_runs(client);
    const std::string agent =
        id_of(client.post("/companies/" + company + "/agents",
                          json::object{{"name", single.adapter},
                                       {"role", "general"},
                                       {"adapterType", single.adapter},
                                       {"adapterConfig", config_of(single.config)},
                                       {"budgetMonthlyCents", cents_of(single.budget)},
                                       {"runtimeConfig", {{"heartbeat", {{"enabled", false}}}}}}));
    json::object wake{{"source", "on_demand"}};
    if (!single.task.empty()) {
        const json::value issue =
            client.post("/companies/" + company + "/issues", issue_of(single.task, agent));
        wake["payload"] = {{"issueId", id_of(issue)}};
    }
    return id_of(client.post("/agents/" + agent + "/wakeup", wake));
}

}  // namespace paperclip::cli
