#include "tests/simulation/people.hpp"

#include "engine/base/json.hpp"
#include "tests/simulation/heartbeat_plan.hpp"

#include <boost/json.hpp>

namespace paperclip::simulation {
namespace {

std::string text_in(const http::Response& response, std::string_view name) {
    const auto value = boost::json::parse(response.body);
    const auto* found = value.as_object().if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string().c_str()) : "";
}

bool fine(const http::Response& response) {
    return response.status >= 200 && response.status < 300;
}

constexpr const char* k_worker = R"([{"checkout":true},{"say":"On {{issue.identifier}}"},
    {"usage":{"inputTokens":100,"costUsd":0.05}},{"sleep":60000},{"exec":["true"],"mayFail":true},
    {"usage":{"outputTokens":50,"costUsd":0.1}},{"comment":"Done in {{run.id}}"},
    {"status":"done"}])";
constexpr const char* k_spender = R"([{"checkout":true},{"usage":{"costUsd":0.15}},{"sleep":300000},
    {"repeat":{"times":3,"steps":[{"usage":{"costUsd":0.25}},{"sleep":200000}]}},
    {"session":"thread-{{run.id}}"},{"status":"done"}])";
constexpr const char* k_unlucky = R"([{"checkout":true},{"exec":["false"]},{"sleep":30000},
    {"usage":{"costUsd":0.02}},{"fail":{"class":"rate_limit","code":"busy"}}])";
constexpr const char* k_hanging = R"([{"checkout":true},{"exec":["sleep","9999"],"mayFail":true},
    {"usage":{"costUsd":0.01}},{"hang":true}])";

std::string with_script(const std::string& script, int timeout_sec = 0) {
    std::string out;
    JsonWriter w(out);
    w.begin_object().key("script").raw(script);
    if (timeout_sec > 0) w.member("timeoutSec", timeout_sec);
    w.end_object();
    return out;
}

std::string delegating(const std::string& to) {
    return R"([{"checkout":true},{"usage":{"costUsd":0.04}},{"create":{"title":"Part of )"
           R"({{issue.identifier}}","status":"todo","assigneeAgentId":")" +
           to + R"("}},{"comment":"Gave it away in {{run.id}}"},{"status":"done"}])";
}

std::string telling(const std::string& whom) {
    return R"([{"checkout":true},{"comment":"@)" + whom +
           R"( please look, says {{run.id}}"},{"usage":{"costUsd":0.03}},{"status":"done"}])";
}

}  // namespace

void People::acknowledge(const std::string& table, const http::Response& response,
                         std::vector<std::string>* ids) {
    if (!fine(response)) return;
    const std::string id = text_in(response, "id");
    there_.emplace_back(table, id);
    if (ids != nullptr) ids->push_back(id);
}

void People::found(int agents) {
    std::string body;
    JsonWriter(body)
        .begin_object()
        .member("name", "Simulated Company")
        .member("budgetMonthlyCents", company_budget_cents_)
        .end_object();
    send_("POST", "/api/companies", body, [this](const http::Response& response) {
        acknowledge("company", response);
        company_ = text_in(response, "id");
    });
    for (int i = 0; i < agents; ++i) hire(i);
    for (int i = 0; i < 3; ++i) {
        send_(
            "POST", "/api/companies/" + company_ + "/goals",
            R"({"title":"Goal","ownerAgentId":")" + agents_[dice_.below(agents_.size())].id + "\"}",
            [this](const http::Response& response) { acknowledge("goal", response, &goals_); });
    }
}

void People::hire(int number) {
    Agent agent;
    agent.key = "agent" + std::to_string(number);
    const Agent* worker = nullptr;
    for (const auto& other : agents_) {
        if (other.works) worker = &other;
    }
    std::string config = with_script(k_worker);
    switch (number % 10) {
        case 2:
            config = "{}";
            break;
        case 3:
            config = with_script(delegating(worker->id));
            break;
        case 4:
        case 5:
            config = with_script(k_spender);
            break;
        case 7:
            config = with_script(telling(worker->key));
            break;
        case 8:
            config = with_script(number % 20 == 8 ? k_unlucky : k_worker);
            break;
        case 9:
            config = number % 20 == 9 ? with_script(k_hanging, 900) : with_script(k_worker);
            break;
        default:
            agent.works = true;
            break;
    }
    std::string body;
    JsonWriter w(body);
    w.begin_object().member("name", agent.key).member("adapterType", "fake");
    w.key("adapterConfig").raw(config);
    w.key("runtimeConfig").raw(HeartbeatPlan::of(number).runtime_config(1 + number % 3));
    if (number % 5 == 4) w.member("budgetMonthlyCents", 100 + 5 * number);
    w.end_object();
    send_("POST", "/api/companies/" + company_ + "/agents", body,
          [this, agent](const http::Response& response) {
              acknowledge("agent", response);
              agents_.push_back(agent);
              agents_.back().id = text_in(response, "id");
          });
}

void People::act() {
    const auto what = dice_.below(100);
    if (what < 45) return create_issue();
    if (what < 65) return comment();
    if (what < 80) return change_issue();
    if (what < 85) return change_goal();
    if (what < 90) return wake_somebody();
    if (what < 93) return pause_somebody();
    if (what < 97) return resume_everybody();
    raise_budgets();
}

void People::create_issue() {
    const auto whom = dice_.chance(0.85) ? std::optional(anybody().id) : std::nullopt;
    const int count = dice_.chance(0.1) ? 4 : 1;  // sometimes everything comes at once
    for (int i = 0; i < count; ++i) create_issue(whom);
}

void People::create_issue(const std::optional<std::string>& whom) {
    std::string body;
    JsonWriter w(body);
    w.begin_object().member("title", "Task " + std::to_string(++count_));
    w.member("status", "todo").member("allowDuplicate", true);
    if (whom) w.member("assigneeAgentId", *whom);
    if (!issues_.empty() && dice_.chance(0.15)) {
        w.key("blockedByIssueIds").begin_array().value(issues_.back()).end_array();
    }
    w.end_object();
    send_("POST", "/api/companies/" + company_ + "/issues", body,
          [this](const http::Response& response) { acknowledge("issue", response, &issues_); });
}

void People::comment() {
    if (issues_.empty()) return;
    std::string text = "Word " + std::to_string(++count_);
    if (dice_.chance(0.3)) text += " for @" + anybody().key;
    std::string body;
    JsonWriter(body).begin_object().member("body", text).end_object();
    const auto recent = issues_.size() - 1 - dice_.below(std::min<std::size_t>(issues_.size(), 30));
    send_("POST", "/api/issues/" + issues_[recent] + "/comments", body,
          [this](const http::Response& response) { acknowledge("issue_comment", response); });
}

void People::change_issue() {
    if (issues_.empty()) return;
    const auto recent = issues_.size() - 1 - dice_.below(std::min<std::size_t>(issues_.size(), 30));
    std::string body;
    JsonWriter w(body);
    w.begin_object();
    switch (dice_.below(4)) {
        case 0:
            w.member("status", "cancelled");
            break;
        case 1:
            w.member("status", "todo");
            break;
        default:
            w.member("assigneeAgentId", anybody().id);
            break;
    }
    w.end_object();
    send_("PATCH", "/api/issues/" + issues_[recent], body, [](const http::Response&) {});
}

void People::change_goal() {
    if (goals_.empty()) return;
    const std::string goal = goals_[dice_.below(goals_.size())];
    const std::string title = "Goal " + std::to_string(++count_);
    titles_.erase(goal);  // until it is answered it may be either
    send_("PATCH", "/api/goals/" + goal, R"({"title":")" + title + "\"}",
          [this, goal, title](const http::Response& response) {
              if (fine(response)) titles_[goal] = title;
          });
}

void People::wake_somebody() {
    send_("POST", "/api/agents/" + anybody().id + "/wakeup", R"({"source":"on_demand"})",
          [](const http::Response&) {});
}

void People::pause_somebody() {
    send_("POST", "/api/agents/" + anybody().id + "/pause", "", [](const http::Response&) {});
}

void People::resume_everybody() {
    for (const auto& agent : agents_) {
        send_("POST", "/api/agents/" + agent.id + "/resume", "", [](const http::Response&) {});
    }
}

void People::raise_budgets() {
    company_budget_cents_ += 300;
    send_("PATCH", "/api/companies/" + company_,
          R"({"budgetMonthlyCents":)" + std::to_string(company_budget_cents_) + "}",
          [](const http::Response&) {});
}

void People::make_room() {
    company_budget_cents_ += 1'000'000;
    raise_budgets();
    for (std::size_t i = 4; i < agents_.size(); i += 5) {
        send_("PATCH", "/api/agents/" + agents_[i].id, R"({"budgetMonthlyCents":1000000})",
              [](const http::Response&) {});
    }
    resume_everybody();
}

std::optional<Violation> People::check(Auditor& auditor) const {
    for (const auto& [table, id] : there_) {
        const std::string where = table == "issue_comment" ? "deleted_at is null and " : "";
        if (auditor.value("select 1 from " + table + " where " + where + "id = '" + id + "'")
                .empty()) {
            return Violation{"what was acknowledged stays", table + " " + id};
        }
    }
    for (const auto& [goal, title] : titles_) {
        const auto found = auditor.value("select title from goal where id = '" + goal + "'");
        if (found != title) {
            return Violation{
                "what was acknowledged stays",
                "goal " + goal + ": expected \"" + title + "\", found \"" + found + "\""};
        }
    }
    return std::nullopt;
}

}  // namespace paperclip::simulation
