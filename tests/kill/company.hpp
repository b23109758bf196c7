#pragma once

#include "tests/support/http_client.hpp"

#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/value.hpp>

namespace paperclip::test {

/// A company on an engine of a test: scripted agents, each with an issue of its own, that write the
/// ids of their runs into a file outside, and an issue that nobody has, to comment on.
class Company {
 public:
    Company(std::uint16_t port, int agents, const std::filesystem::path& executed);

    [[nodiscard]] const std::string& issue() const { return issue_; }
    /// Asks for a run of every agent; half of them for their issue. Errors are ignored: the engine
    /// may be dying.
    void wake_everybody(HttpClient& client) const;
    int runs_in_flight();
    void wait_until_idle();

    std::set<std::string> comments();
    int open_runs();
    int locked_issues();

 private:
    std::string create(const std::string& path, const boost::json::value& body);
    boost::json::value get(const std::string& path);

    HttpClient client_;
    std::string id_;
    std::string issue_;
    struct Agent {
        std::string id;
        std::string issue;
    };
    std::vector<Agent> agents_;
};

/// Wakes everybody of a company again and again while it lives, on a thread of its own.
class Waker {
 public:
    Waker(const Company& company, std::uint16_t port);
    ~Waker();
    Waker(const Waker&) = delete;
    Waker& operator=(const Waker&) = delete;

 private:
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

/// The process of kill_writer; what it was told stands in `file`, an id a line.
class WriterProcess {
 public:
    WriterProcess(const char* program, std::uint16_t port, const std::string& issue,
                  const std::filesystem::path& file, int threads);
    ~WriterProcess() { stop(); }
    WriterProcess(const WriterProcess&) = delete;
    WriterProcess& operator=(const WriterProcess&) = delete;
    void stop();

 private:
    int pid_ = -1;
};

std::vector<std::string> lines_of(const std::filesystem::path& file);

/// How many processes there are whose environment names a run and something in `folder`.
int processes_of_agents(const std::filesystem::path& folder);

}  // namespace paperclip::test
