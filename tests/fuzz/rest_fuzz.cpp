#include "engine/base/log.hpp"
#include "engine/declaration/values.hpp"
#include "engine/http/front.hpp"
#include "tests/fuzz/contents.hpp"
#include "tests/support/test_engine.hpp"

#include <cstdint>
#include <cstdlib>
#include <iostream>

#include <boost/json.hpp>

// A request in the form in which people write one:
//
//     POST /api/issues/{issue}/checkout?limit=2 agent
//     Content-Type: application/json
//
//     {"agentId":"{agent}"}
//
// The word behind the target says who calls: `agent` an agent of the company, `stranger` one of
// another, `nobody` somebody without a key; else the board. Names in braces stand for the ids of
// what there is. /api/everything is an echo whose types are all that there are.

namespace {

using namespace paperclip;

thread_local const http::Route* t_route = nullptr;

enum class Mode { fast, thorough };
BOOST_DESCRIBE_ENUM(Mode, fast, thorough)

struct Part {
    int count = 0;
    std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(Part, (), (count, note))

/// A member of every type that a resource may have, for bodies and queries.
struct Everything {
    bool flag = false;
    int small = 0;
    std::int64_t large = 0;
    double real = 0;
    std::string text = "t";
    Id id;
    Time time{};
    Money money;
    Json json;
    Mode mode = Mode::fast;
    declaration::Span span;
    std::vector<std::string> texts;
    std::vector<Part> parts;
    std::map<std::string, std::string> by_name;
    std::optional<std::int64_t> maybe;
    std::optional<std::string> date;
    std::optional<std::string> color;
    std::optional<Json> object;
};
BOOST_DESCRIBE_STRUCT(Everything, (),
                      (flag, small, large, real, text, id, time, money, json, mode, span, texts,
                       parts, by_name, maybe, date, color, object))

}  // namespace

template <>
struct paperclip::Rules<Everything> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"small", {.min = -10, .max = 10}},
        {"text", {.required = true, .min = 1, .max = 20}},
        {"texts", {.max = 3}},
        {"date", {.format = "date"}},
        {"color", {.format = "color"}},
        {"object", {.format = "json-object"}},
    });
};

namespace {

/// What was read comes back out of JSON and out of columns as it was.
void must_survive(const Everything& value) {
    const std::string written = to_json(value);
    const StructType& type = struct_of<Everything>();
    Everything from_columns;
    for (const Field& field : type.fields()) {
        std::string scratch;
        const Value column = field.type->to_column(field.in(&value), scratch);
        field.type->from_column(column, field.in(&from_columns));
    }
    Everything from_json;
    Problems problems;
    type.read(JsonNode(parse_json(written, 512)), &from_json, problems);
    if (problems.empty() && to_json(from_columns) == written && to_json(from_json) == written) {
        return;
    }
    std::cerr << written << '\n' << to_json(from_columns) << '\n' << to_json(from_json) << '\n';
    std::abort();
}

class OpenGate final : public http::Gate {
 public:
    Actor authenticate(const http::Request&) override { return Actor::local_board(); }
    void authorize(const Actor&, http::Rule, http::Subject, const std::optional<http::Resolved>&,
                   const http::Request&) override {}
};

/// Answers with what it read, and fails in every way when it is asked to.
class Echo {
 public:
    Echo() {
        router_.add<http::None, http::None, http::Ok>(
            {http::Method::get, "/everything/{failure}", http::Rule::anyone, http::Subject::none,
             "Fail"},
            [](http::Call& call) -> http::Ok {
                const auto& failure = call.path_value("failure");
                if (failure == "name") return {call.path_value("no such name").empty()};
                if (failure == "error") throw Error(ErrorKind::internal, "inner words");
                if (failure == "exception") throw std::runtime_error("inner words");
                return {};
            });
        for (const auto method : {http::Method::post, http::Method::patch}) {
            router_.add<Everything, Everything, Everything>(
                {method, "/everything", http::Rule::anyone, http::Subject::none, "Echo"},
                [](http::Call&, const Everything& query, Patch<Everything>& body) {
                    must_survive(query);
                    must_survive(body.value);
                    return body.value;
                });
        }
    }
    void take(const http::Request& request) {
        const http::Response response = router_.handle(request);
        const bool may_fail = request.path.starts_with("/api/everything/");
        if (response.status >= 500 && !may_fail) std::abort();
        if (response.body.find("inner words") != std::string::npos) std::abort();
    }

 private:
    OpenGate gate_;
    http::Router router_{gate_};
};

/// An engine with a company in it, and what there is to ask it for.
class Scene {
 public:
    Scene() {
        const std::string company = engine_.new_company();
        const std::string agent = engine_.new_agent(company, "Ada");
        const std::string issue = engine_.new_issue(company);
        const std::string other = engine_.new_company(R"({"name":"Other"})");
        agent_key_ = engine_.new_key(agent);
        stranger_key_ = engine_.new_key(engine_.new_agent(other, "Eve"));
        names_ = {{"{company}", company}, {"{agent}", agent}, {"{issue}", issue}};
        add("{key}", "/agents/" + agent + "/keys", "{}");
        add("{run}", "/agents/" + agent + "/wakeup", "{}");
        add("{project}", "/companies/" + company + "/projects", R"({"name":"Site"})");
        // One to be changed and one to be removed.
        names_.emplace_back("{old-agent}", engine_.new_agent(company, "Old"));
        names_.emplace_back("{old-issue}", engine_.new_issue(company));
        add("{old-project}", "/companies/" + company + "/projects", R"({"name":"Old"})");
        for (const char* name : {"{goal}", "{old-goal}"}) {
            add(name, "/companies/" + company + "/goals", R"({"title":"Ship"})");
        }
        for (const char* name : {"{comment}", "{old-comment}"}) {
            add(name, "/issues/" + issue + "/comments", R"({"body":"Hello"})");
        }
        for (const char* name : {"{workspace}", "{old-workspace}"}) {
            add(name, "/projects/" + named("{project}") + "/workspaces", R"({"cwd":"/work"})");
        }
        // That a key was used is noted once a minute; the clock stands.
        for (const auto& key : {agent_key_, stranger_key_}) engine_.get("/agents/me", key);
        engine_.router().observe = [](const http::Route* route, int, std::int64_t) {
            t_route = route;
        };
        engine_.run();
    }

    void send(std::string_view text) {
        http::Request request;
        try {
            request = read(named(text));
        } catch (const Error&) {
            return;
        }
        if (request.path.starts_with("/api/everything")) return echo_.take(request);
        const auto before = contents_.digests();
        t_route = nullptr;
        const http::Response response = front_.handle(request);
        const std::string problem = problem_of(request, response, before);
        engine_.run();
        if (problem.empty()) return;
        std::cerr << problem << "\n→ " << response.status << ' ' << response.body << '\n';
        std::abort();
    }

 private:
    std::string problem_of(const http::Request& request, const http::Response& response,
                           const test::Contents::Digests& before) {
        const std::string written = test::differences(before, contents_.digests());
        if (response.status >= 400 && !written.empty()) return "refused, but written:" + written;
        // The methods that a path has are no resource, and not in the document.
        if (request.method == http::Method::options && response.status == 200) return {};
        return engine_.checker().problem(t_route, response);
    }

    void add(const char* name, const std::string& target, const std::string& body) {
        names_.emplace_back(name, engine_.post(target, body).id());
    }

    /// The text with its names as ids.
    [[nodiscard]] std::string named(std::string_view text) const {
        std::string out(text);
        for (const auto& [name, id] : names_) {
            for (auto at = out.find(name); at != std::string::npos; at = out.find(name, at)) {
                out.replace(at, name.size(), id);
            }
        }
        return out;
    }

    [[nodiscard]] http::Request read(std::string_view text) const {
        const auto take_line = [&text] {
            const auto line = text.substr(0, text.find('\n'));
            text.remove_prefix(std::min(text.size(), line.size() + 1));
            return line;
        };
        http::Request request;
        request.peer = {"127.0.0.1", 50'000, 3100, 0};
        std::string_view first = take_line();
        const auto take_word = [&first] {
            const auto word = first.substr(0, first.find(' '));
            first.remove_prefix(std::min(first.size(), word.size() + 1));
            return word;
        };
        request.method = http::parse_method(take_word());
        http::read_target(take_word(), request);
        if (first == "nobody") request.peer.address = "192.0.2.1";
        if (first == "agent") add_key(request, agent_key_);
        if (first == "stranger") add_key(request, stranger_key_);
        for (auto line = take_line(); !line.empty(); line = take_line()) {
            const auto colon = std::min(line.find(": "), line.size());
            request.headers.emplace_back(line.substr(0, colon),
                                         line.substr(std::min(colon + 2, line.size())));
        }
        if (request.header("Host").empty()) request.headers.emplace_back("Host", "localhost:3100");
        request.body = text;
        return request;
    }
    static void add_key(http::Request& request, const std::string& key) {
        request.headers.emplace_back("Authorization", "Bearer " + key);
    }

    test::TestEngine engine_;
    test::Contents contents_{engine_.folder() / "paperclip.db"};
    http::Front front_{engine_.router(), {"paperclip.example"}};
    Echo echo_;
    std::string agent_key_;
    std::string stranger_key_;
    std::vector<std::pair<std::string, std::string>> names_;
};

/// What one request leaves behind the next ones meet, up to a limit.
class Scenes {
 public:
    /// Makes the first scene, so that what the engine keeps for the whole process is made before
    /// this is, and outlives it.
    explicit Scenes(const Redactor& redactor) {
        configure_log(LogFormat::text, LogLevel::error, redactor);
        scene_ = std::make_unique<Scene>();
    }
    void send(std::string_view text) {
        constexpr int k_requests = 200;
        if (requests_++ == k_requests) {
            scene_.reset();
            scene_ = std::make_unique<Scene>();
            requests_ = 1;
        }
        scene_->send(text);
    }

 private:
    std::unique_ptr<Scene> scene_;
    int requests_ = 0;
};

}  // namespace

// Whatever it is: no failure of the engine, an answer as the OpenAPI document says, and nothing is
// written when it is refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Redactor redactor;
    static Scenes scenes(redactor);
    scenes.send({reinterpret_cast<const char*>(data), size});
    return 0;
}
