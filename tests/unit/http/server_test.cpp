#include "engine/http/front.hpp"
#include "engine/http/server.hpp"

#include <Poco/Net/NetException.h>
#include <Poco/Net/StreamSocket.h>
#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

namespace paperclip::http {

struct Thing {
    std::string name;
    std::int64_t size = 1;
};
BOOST_DESCRIBE_STRUCT(Thing, (), (name, size))

struct ThingQuery {
    std::optional<std::int64_t> limit;
};
BOOST_DESCRIBE_STRUCT(ThingQuery, (), (limit))

}  // namespace paperclip::http

template <>
struct paperclip::Rules<paperclip::http::Thing> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"name", {.required = true, .min = 1, .max = 20}},
        {"size", {.min = 0, .max = 9}},
    });
};

namespace paperclip::http {
namespace {

/// Lets the board do everything.
class OpenGate final : public Gate {
 public:
    Actor authenticate(const Request&) override { return Actor::local_board(); }
    void authorize(const Actor&, Rule, Subject, const std::optional<Resolved>&,
                   const Request&) override {}
};

/// Some routes behind a front.
struct Site {
    OpenGate gate;
    Router router{gate};
    Front front{router, {"paperclip.example"}};
    std::atomic<int> made{0};

    Site() {
        router.add<ThingQuery, None, std::vector<Thing>>(
            {Method::get, "/things", Rule::board, Subject::none, "List"},
            [](Call&, const ThingQuery& query) {
                return std::vector<Thing>(static_cast<std::size_t>(query.limit.value_or(1)),
                                          Thing{"x"});
            });
        router.add<None, Thing, Thing>(
            {Method::post, "/things", Rule::board, Subject::none, "Make", 201},
            [this](Call&, Patch<Thing>& thing) {
                ++made;
                return thing.value;
            });
        router.add<None, None, Thing>(
            {Method::post, "/things/touch", Rule::board, Subject::none, "Touch"},
            [](Call&) { return Thing{"x"}; });
        router.add<None, Thing, Thing>(
            {Method::patch, "/things/{id}", Rule::board, Subject::none, "Change"},
            [](Call& call, Patch<Thing>& thing) {
                thing.value.name = call.path_value("id");
                return thing.value;
            });
        front.add_page("/", [](const Request&) { return Response::text("the page"); });
    }
};

Request request_of(Method method, const std::string& path, const std::string& body = {}) {
    Request request;
    request.method = method;
    request.path = path;
    request.headers = {{"Host", "localhost:3100"}};
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    request.body = body;
    return request;
}

/// The site on a port, and connections to it.
struct Served {
    Site site;
    Server server;

    explicit Served(int threads = 8)
        : server({.port = 0, .threads = threads, .max_body_bytes = 1000},
                 [this](const Request& request) { return site.front.handle(request); }) {
        server.start();
    }
    [[nodiscard]] Poco::Net::StreamSocket connect() const {
        Poco::Net::StreamSocket socket(Poco::Net::SocketAddress("127.0.0.1", server.port()));
        socket.setReceiveTimeout(Poco::Timespan(20, 0));
        return socket;
    }
    /// Sends `bytes`, nothing after them, and reads to the end of the connection.
    [[nodiscard]] std::string talk(const std::string& bytes) const {
        auto socket = connect();
        try {
            socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
            socket.shutdownSend();
        } catch (const Poco::Net::NetException&) {
            // A server that refuses closes before it has heard all; its answer can be read still.
        }
        return read_all(socket);
    }
    static std::string read_all(Poco::Net::StreamSocket& socket) {
        std::string text;
        char buffer[4096];
        try {
            for (int n; (n = socket.receiveBytes(buffer, sizeof buffer)) > 0;)
                text.append(buffer, static_cast<std::size_t>(n));
        } catch (const Poco::Net::ConnectionResetException&) {
        }
        return text;
    }
};

std::string post(const std::string& head, const std::string& body) {
    return "POST /api/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
           head + "\r\n" + body;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

}  // namespace

TEST_CASE("the router answers what it is asked in its one form") {
    Site site;
    struct Row {
        Method method;
        const char* path;
        std::string body;
        int status;
    };
    std::string deep;
    for (int i = 0; i < 5000; ++i) deep += "[";
    for (const auto& row : std::vector<Row>{
             {Method::get, "/api/things", "", 200},
             {Method::head, "/api/things", "", 200},
             {Method::options, "/api/things", "", 200},
             {Method::get, "/api/things/", "", 200},
             {Method::get, "/api//things", "", 200},
             {Method::get, "/api/nothing", "", 404},
             {Method::get, "/api", "", 404},
             {Method::delete_, "/api/things", "", 404},
             {Method::other, "/api/things", "", 404},
             {Method::options, "/api/nothing", "", 404},
             {Method::post, "/api/things", R"({"name":"a"})", 201},
             {Method::post, "/api/things", R"({"name":"a","other":1})", 201},
             {Method::post, "/api/things", "", 400},
             {Method::post, "/api/things", "{", 400},
             {Method::post, "/api/things", R"({"name":"a"}x)", 400},
             {Method::post, "/api/things", "null", 400},
             {Method::post, "/api/things", "[]", 400},
             {Method::post, "/api/things", R"({"name":"a","size":10})", 400},
             {Method::post, "/api/things", R"({"name":"a","size":1.5})", 400},
             {Method::post, "/api/things", R"({"name":"a","size":"1"})", 400},
             {Method::post, "/api/things", "{\"name\":\"\xff\"}", 400},
             {Method::post, "/api/things", "{\"name\":\"a\\u0000b\"}", 400},
             {Method::post, "/api/things", "{\"name\":\"\\ud800\"}", 400},
             {Method::post, "/api/things", deep, 400},
             {Method::patch, "/api/things/7", "{}", 200},
             {Method::patch, "/api/things/7", R"({"name":null})", 400},
         }) {
        INFO(method_name(row.method) << " " << row.path << " " << row.body.substr(0, 60));
        const Response response = site.front.handle(request_of(row.method, row.path, row.body));
        CHECK(response.status == row.status);
        if (row.status >= 400) CHECK(response.body.starts_with("{\"error\":\""));
    }
}

TEST_CASE("a body must say that it is JSON") {
    Site site;
    for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded"}) {
        INFO(type);
        Request request = request_of(Method::post, "/api/things", R"({"name":"a"})");
        request.headers[1].second = type;
        CHECK(site.front.handle(request).status == 400);
    }
}

TEST_CASE("a query that cannot be meant is refused") {
    Site site;
    struct Row {
        const char* value;
        int status;
    };
    for (const auto& row : std::vector<Row>{
             {"3", 200}, {"x", 400}, {"1.5", 400}, {"", 400}, {"99999999999999999999", 400}}) {
        INFO(row.value);
        Request request = request_of(Method::get, "/api/things");
        request.query = {{"limit", row.value}};
        CHECK(site.front.handle(request).status == row.status);
    }
}

TEST_CASE("escapes are decoded once, and broken ones refused") {
    CHECK(percent_decode("a%20b%2Fc%2520", false) == "a b/c%20");
    CHECK(percent_decode("a+b", true) == "a b");
    CHECK(percent_decode("a+b", false) == "a+b");
    for (const char* text : {"%", "%4", "%zz", "%00", "%ff", "%c0%80", "%ed%a0%80"}) {
        INFO(text);
        CHECK_THROWS_AS(percent_decode(text, false), Error);
        CHECK_THROWS_AS(parse_query(std::string("a=") + text), Error);
    }
}

TEST_CASE("only known hosts are served, and other sites' pages change nothing") {
    struct Row {
        Method method;
        const char* host;
        const char* origin;
        int status;
    };
    Site site;
    for (const auto& row : std::vector<Row>{
             {Method::get, "localhost", "", 200},
             {Method::get, "LocalHost:3100", "", 200},
             {Method::get, "127.0.0.1:3100", "", 200},
             {Method::get, "[::1]:3100", "", 200},
             {Method::get, "paperclip.example", "", 200},
             {Method::get, "evil.example", "", 403},
             {Method::get, "localhost.evil.example", "", 403},
             {Method::get, "", "", 403},
             {Method::get, "[::1", "", 403},
             {Method::get, "[::1]evil.example", "", 403},
             {Method::post, "localhost", "", 201},
             {Method::post, "localhost", "http://localhost:5173", 201},
             {Method::post, "localhost", "https://paperclip.example", 201},
             {Method::post, "localhost", "http://evil.example", 403},
             {Method::post, "localhost", "http://localhost.evil.example", 403},
             {Method::post, "localhost", "null", 403},
             {Method::post, "localhost", "file://", 403},
             {Method::get, "localhost", "http://evil.example", 200},
         }) {
        INFO(method_name(row.method) << " Host: " << row.host << " Origin: " << row.origin);
        const bool body = row.method == Method::post;
        Request request = request_of(row.method, "/api/things", body ? R"({"name":"a"})" : "");
        request.headers[0].second = row.host;
        if (*row.origin != 0) request.headers.emplace_back("Origin", row.origin);
        CHECK(site.front.handle(request).status == row.status);
    }
}

TEST_CASE("requests that follow each other at once are answered in their order") {
    Served served;
    const std::string get = "GET /api/things?limit=2 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const std::string last =
        "GET /api/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const std::string answers = served.talk(get + get + last);
    CHECK(count(answers, "HTTP/1.1 200") == 2);
    CHECK(answers.rfind("HTTP/1.1 404") > answers.rfind("HTTP/1.1 200"));
}

TEST_CASE("a body that is too large is refused, whatever says so") {
    Served served;
    const std::string large(1001, ' ');
    CHECK(count(served.talk(post("Content-Length: 100000000000\r\n", "")), "HTTP/1.1 413") == 1);
    CHECK(count(served.talk(post("Content-Length: 1001\r\n", large)), "HTTP/1.1 413") == 1);
    CHECK(count(served.talk(
                    post("Transfer-Encoding: chunked\r\n", "3e9\r\n" + large + "\r\n0\r\n\r\n")),
                "HTTP/1.1 413") == 1);
    CHECK(served.site.made == 0);
}

// What had come until then used to be taken for the whole.
TEST_CASE("a body that is cut off is not acted on") {
    Served served;
    const std::string body = R"({"name":"a"})";
    CHECK(count(served.talk(post("Content-Length: 100\r\n", body)), "HTTP/1.1 400") == 1);
    CHECK(served.site.made == 0);
    CHECK(count(served.talk(post("Content-Length: " + std::to_string(body.size()) + "\r\n", body)),
                "HTTP/1.1 201") == 1);
}

TEST_CASE("what is not HTTP does no harm") {
    Served served;
    for (const std::string& bytes : std::vector<std::string>{
             "\r\n\r\n", "GET\r\n\r\n", std::string(64, '\0'), "GET / HTTP/9.9\r\n\r\n",
             "GET /api/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
             "GET /api/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
             "POST /api/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
             "chunked\r\n\r\nzz\r\n",
             "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
             "GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n"}) {
        INFO(bytes.substr(0, 40));
        const std::string answer = served.talk(bytes);
        CHECK(count(answer, "HTTP/1.1 5") == 0);
    }
    CHECK(count(served.talk("GET /api/things HTTP/1.0\r\nHost: localhost\r\n\r\n"), " 200 ") == 1);
}

TEST_CASE("one Host, and a body that is JSON even where nothing is taken from it") {
    Site site;
    Request request = request_of(Method::get, "/api/things");
    request.headers.emplace_back("host", "evil.example");
    CHECK(site.front.handle(request).status == 400);
    request = request_of(Method::post, "/api/things/touch", "{");
    CHECK(site.front.handle(request).status == 400);
    request = request_of(Method::post, "/api/things/touch", "{}");
    CHECK(site.front.handle(request).status == 200);
}

TEST_CASE("a port that is taken is not shared") {
    const Served first;
    CHECK_THROWS_WITH(
        Server({.port = first.server.port()}, [](const Request&) { return Response::text(""); }),
        Catch::Contains("is another engine running there?"));
}

TEST_CASE("those who say nothing do not keep others from being served") {
    Served served(8);
    std::vector<Poco::Net::StreamSocket> silent;
    for (int i = 0; i < 4; ++i) {
        silent.push_back(served.connect());
        silent.back().sendBytes("GET /api/th", 11);
    }
    CHECK(count(served.talk("GET /api/things HTTP/1.0\r\nHost: localhost\r\n\r\n"), " 200 ") == 1);
}

TEST_CASE("many connections at once are all answered") {
    Served served(8);
    std::atomic<int> answered{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 20; ++i) {
        clients.emplace_back([&] {
            for (int n = 0; n < 5; ++n) {
                const auto text =
                    served.talk("GET /api/things HTTP/1.0\r\nHost: localhost\r\n\r\n");
                answered += static_cast<int>(count(text, " 200 "));
            }
        });
    }
    for (auto& client : clients) client.join();
    CHECK(answered == 100);
}

}  // namespace paperclip::http
