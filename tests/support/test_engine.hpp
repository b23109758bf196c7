#pragma once

#include "engine/app/services.hpp"
#include "tests/support/test_store.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace paperclip::test {

/// Says of every connection what it is told to say.
class FakePeers final : public access::Peers {
 public:
    Answer answer;
    Answer who_is(const http::Peer&) override { return answer; }
};

/// Checks answers of a router against the router's own OpenAPI document, and stricter: an answer
/// must not have members that the document does not know. Thread-safe.
class ApiChecker {
 public:
    explicit ApiChecker(const http::Router& router);
    ~ApiChecker();

    /// What is wrong with the answer of `route` (null: none matched), or empty.
    std::string problem(const http::Route* route, const http::Response& response);
    [[nodiscard]] const boost::json::value& document() const { return document_; }

 private:
    struct Schemas;
    boost::json::value document_;
    std::mutex mutex_;
    std::unique_ptr<Schemas> schemas_;
};

struct Answer {
    int status = 0;
    boost::json::value body;
    std::string text;
    std::vector<std::pair<std::string, std::string>> headers;

    [[nodiscard]] std::string at(const char* member) const;
    [[nodiscard]] std::string id() const { return at("id"); }
    /// The length of a list.
    [[nodiscard]] std::size_t size() const { return body.as_array().size(); }
    [[nodiscard]] std::string header(std::string_view name) const;
};

/// The engine without sockets and without processes: its services over a real store, in a folder of
/// its own, with the real routes. Time stands still until a test moves it.
class TestEngine {
 public:
    /// manual: background work runs in run(); threads: on threads, at once.
    enum class Work { manual, threads };
    /// `folder`: of an earlier TestEngine, whose store this one takes over. `shim`: the run shim,
    /// for tests in which programs are really started.
    explicit TestEngine(Work work = Work::manual, const std::filesystem::path& folder = {},
                        const std::filesystem::path& shim = {});
    ~TestEngine();
    TestEngine(const TestEngine&) = delete;
    TestEngine& operator=(const TestEngine&) = delete;

    /// Sends a request for `target` ("/companies?limit=1", below /api) through the router. Throws
    /// std::logic_error for an answer that the OpenAPI document does not allow, or of 5xx.
    /// Thread-safe.
    Answer call(http::Method method, const std::string& target, const std::string& body = {},
                const std::string& token = {});
    Answer call(http::Request request);
    Answer get(const std::string& target, const std::string& token = {});
    Answer post(const std::string& target, const std::string& body = "{}",
                const std::string& token = {});
    Answer patch(const std::string& target, const std::string& body, const std::string& token = {});
    Answer remove(const std::string& target, const std::string& token = {});

    std::string new_company(const std::string& body = R"({"name":"Acme"})");
    /// `more`: further members, as ",\"role\":\"ceo\"". The adapter type is `fake`.
    std::string new_agent(const std::string& company, const std::string& name,
                          const std::string& more = {});
    std::string new_key(const std::string& agent);
    std::string new_issue(const std::string& company, const std::string& more = {});

    /// Starts the services.
    void start();
    /// Work::manual: runs all background work that there is. Timers fire by advance() alone.
    void run();
    void advance(Duration by);

    [[nodiscard]] const std::filesystem::path& folder() const;
    app::Services& services();
    http::Router& router();
    ManualClock& clock();
    FakePeers& peers();
    ApiChecker& checker();
    Executor& executor();
    TimerQueue& timers();

 private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

/// A request as the server would make it of `target`.
http::Request request_for(http::Method method, const std::string& target,
                          const std::string& body = {}, const std::string& token = {});

}  // namespace paperclip::test
