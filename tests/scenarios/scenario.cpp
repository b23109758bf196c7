#include "tests/scenarios/scenario.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <catch2/catch.hpp>

namespace paperclip::test {

namespace json = boost::json;

namespace {

constexpr std::chrono::minutes k_patience{2};

std::string text(const json::value& object, std::string_view name) {
    const auto& value = object.as_object().at(name);
    return value.is_string() ? std::string(value.get_string()) : "";
}

}  // namespace

Scenario::Scenario() : engine_(PAPERCLIP_PROGRAM, folder_ / "data"), client_(engine_.port()) {
    engine_.start();
    REQUIRE(engine_.wait_until_ready());
}

bool Scenario::apply(const declaration::Files& files) {
    json::object declared;
    for (const auto& [path, content] : files) declared[path] = content;
    const std::string body = json::serialize(json::object{{"files", declared}});
    const auto validated = client_.post("/declarations/validate", body);
    INFO(validated.body);
    REQUIRE(validated.status == 200);
    REQUIRE(json::parse(validated.body).at("valid").as_bool());
    const auto applied = client_.post("/declarations/apply", body);
    INFO(applied.body);
    REQUIRE(applied.status == 200);
    const json::value result = json::parse(applied.body);
    company_ = text(result, "companyId");
    return result.at("changed").as_bool();
}

json::value Scenario::get(const std::string& path) {
    const auto answer = client_.get(path);
    INFO(path << ": " << answer.status << " " << answer.body);
    REQUIRE(answer.status == 200);
    return json::parse(answer.body);
}

json::array Scenario::list(const std::string& what) {
    return get("/companies/" + company_ + "/" + what).as_array();
}

std::optional<json::object> Scenario::issue(const std::string& title) {
    for (const auto& issue : list("issues")) {
        if (text(issue, "title") == title) return issue.as_object();
    }
    return std::nullopt;
}

std::string Scenario::status_of(const std::string& title) {
    const auto found = issue(title);
    return found ? text(*found, "status") : "";
}

std::vector<std::string> Scenario::comments_of(const std::string& title) {
    const auto found = issue(title);
    REQUIRE(found);
    std::vector<std::string> bodies;
    const auto comments = get("/issues/" + text(*found, "id") + "/comments?order=asc");
    for (const auto& comment : comments.as_array()) bodies.push_back(text(comment, "body"));
    return bodies;
}

std::string Scenario::agent_id(const std::string& key) {
    for (const auto& agent : list("agents")) {
        if (text(agent, "urlKey") == key) return text(agent, "id");
    }
    FAIL("there is no agent " << key);
    return "";
}

std::size_t Scenario::runs(const std::string& agent_key, const std::string& status) {
    const auto all = list("heartbeat-runs?limit=1000&agentId=" + agent_id(agent_key));
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [&](const auto& run) { return text(run, "status") == status; }));
}

std::string Scenario::last_summary(const std::string& agent_key) {
    for (const auto& run : list("heartbeat-runs?agentId=" + agent_id(agent_key))) {
        if (text(run, "status") == "succeeded") return text(run.at("resultJson"), "summary");
    }
    return "";
}

std::int64_t Scenario::skipped_heartbeats(const std::string& agent_key) {
    const std::string id = agent_id(agent_key);
    const json::value beats = get("/instance/scheduler-heartbeats");
    for (const auto& beat : beats.as_array()) {
        if (text(beat, "id") == id) return beat.at("skippedCount").to_number<std::int64_t>();
    }
    FAIL("the agent " << agent_key << " has no heartbeat");
    return 0;
}

std::string Scenario::issues_as_text() {
    std::string lines;
    for (const auto& issue : list("issues")) {
        lines += text(issue, "status") + "  " + text(issue, "title") + "\n";
    }
    for (const auto& run : list("heartbeat-runs?limit=20")) {
        lines += text(run, "status") + "  " + text(run, "error") + "\n" +
                 text(run, "stderrExcerpt") + "\n";
    }
    return lines;
}

void Scenario::wait_until(const std::string& what, const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + k_patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) {
            FAIL("waited in vain: " << what << "\n" << issues_as_text());
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

}  // namespace paperclip::test
