#include "tests/kill/company.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <boost/json.hpp>

namespace paperclip::test {

namespace json = boost::json;

namespace {

/// Works for a moment, so that many runs are in flight, after it has left its mark.
json::value script(const std::filesystem::path& executed, bool with_issue) {
    json::array steps;
    if (with_issue) steps.push_back(json::object{{"checkout", true}});
    steps.push_back(
        json::object{{"exec", json::array{"/bin/sh", "-c", "echo $1 >> $2; exec sleep 1.2", "sh",
                                          "{{run.id}}", executed.string()}}});
    return json::object{{"script", steps}};
}

}  // namespace

json::value Company::get(const std::string& path) {
    for (int attempt = 0; attempt < 3; ++attempt) {
        const auto answer = client_.get(path);
        if (answer.status == 200) return json::parse(answer.body);
    }
    throw std::runtime_error("no answer to GET " + path);
}

std::string Company::create(const std::string& path, const json::value& body) {
    const auto answer = client_.post(path, json::serialize(body));
    if (answer.status != 201) throw std::runtime_error("POST " + path + ": " + answer.body);
    return std::string(json::parse(answer.body).as_object().at("id").as_string());
}

Company::Company(std::uint16_t port, int agents, const std::filesystem::path& executed)
    : client_(port) {
    id_ = create("/companies", {{"name", "Kill"}});
    const std::string issues = "/companies/" + id_ + "/issues";
    issue_ = create(issues, {{"title", "Comments"}, {"status", "todo"}});
    for (int i = 0; i < agents; ++i) {
        Agent agent;
        const bool with_issue = i % 2 == 0;
        agent.id = create(
            "/companies/" + id_ + "/agents",
            {{"name", "Agent " + std::to_string(i)},
             {"role", "engineer"},
             {"adapterType", "fake"},
             {"adapterConfig", script(executed, with_issue)},
             {"runtimeConfig", {{"heartbeat", {{"enabled", false}, {"maxConcurrentRuns", 1}}}}}});
        if (with_issue) {
            agent.issue = create(issues, {{"title", "Work " + std::to_string(i)},
                                          {"status", "backlog"},
                                          {"assigneeAgentId", agent.id}});
        }
        agents_.push_back(agent);
    }
}

void Company::wake_everybody(HttpClient& client) const {
    for (const auto& agent : agents_) {
        json::object wake{{"source", "on_demand"}};
        if (!agent.issue.empty()) wake["payload"] = {{"issueId", agent.issue}};
        if (client.post("/agents/" + agent.id + "/wakeup", json::serialize(wake)).status == 0) {
            return;
        }
    }
}

int Company::runs_in_flight() {
    constexpr std::string_view k_gauge = "\npaperclip_runs_live ";
    const auto answer = client_.page("/metrics");
    const auto at = answer.body.find(k_gauge);
    return at == std::string::npos ? 0 : std::atoi(answer.body.c_str() + at + k_gauge.size());
}

int Company::open_runs() {
    return static_cast<int>(get("/companies/" + id_ + "/live-runs?limit=200").as_array().size());
}

void Company::wait_until_idle() {
    while (open_runs() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

int Company::locked_issues() {
    int locked = 0;
    for (const auto& agent : agents_) {
        if (agent.issue.empty()) continue;
        const json::value issue = get("/issues/" + agent.issue);
        const auto& fields = issue.as_object();
        const bool free = fields.at("checkoutRunId").is_null() &&
                          fields.at("executionRunId").is_null() &&
                          fields.at("executionLockedAt").is_null();
        locked += free ? 0 : 1;
    }
    return locked;
}

std::set<std::string> Company::comments() {
    std::set<std::string> ids;
    std::string after;
    for (;;) {
        const json::value page = get("/issues/" + issue_ + "/comments?order=asc&limit=500" +
                                     (after.empty() ? "" : "&after=" + after));
        for (const auto& comment : page.as_array()) {
            after = std::string(comment.as_object().at("id").as_string());
            ids.insert(after);
        }
        if (page.as_array().size() < 500) return ids;
    }
}

Waker::Waker(const Company& company, std::uint16_t port)
    : thread_([this, &company, port] {
          HttpClient client(port);
          while (!stopping_) {
              company.wake_everybody(client);
              std::this_thread::sleep_for(std::chrono::milliseconds(50));
          }
      }) {}

Waker::~Waker() {
    stopping_ = true;
    thread_.join();
}

WriterProcess::WriterProcess(const char* program, std::uint16_t port, const std::string& issue,
                             const std::filesystem::path& file, int threads) {
    const std::string port_text = std::to_string(port);
    const std::string thread_text = std::to_string(threads);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::execl(program, program, port_text.c_str(), issue.c_str(), file.c_str(), thread_text.c_str(),
            nullptr);
    ::_exit(127);
}

void WriterProcess::stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

int processes_of_agents(const std::filesystem::path& folder) {
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream file(entry.path() / "environ", std::ios::binary);
        const std::string environment((std::istreambuf_iterator<char>(file)),
                                      std::istreambuf_iterator<char>());
        const bool is_ours = environment.find("PAPERCLIP_RUN_ID=") != std::string::npos &&
                             environment.find(folder.string()) != std::string::npos;
        found += is_ours ? 1 : 0;
    }
    return found;
}

}  // namespace paperclip::test
