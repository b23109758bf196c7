#include "engine/live/live_events.hpp"
#include "tests/support/test_engine.hpp"
#include "tests/support/websocket_client.hpp"

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

/// An engine whose events can be listened to.
struct Station {
    TestEngine engine{TestEngine::Work::threads};
    http::Streams streams;
    live::LiveEvents live{engine.services().core, engine.services().relay, streams,
                          engine.executor(), engine.timers()};
    std::string company;
    std::string agent;

    Station() {
        live.add_routes(engine.router());
        engine.start();
        company = engine.new_company();
        agent = engine.new_agent(company, "Ada");
    }
    ~Station() {
        // Nothing is announced any more when the listeners go.
        streams.stop();
        static_cast<WorkerPool&>(engine.executor()).stop();
    }

    http::Response ask(const std::string& target, const std::string& token = {}) {
        auto request = request_for(http::Method::get,
                                   "/companies/" + company + "/events/ws" + target, {}, token);
        WebSocketClient::add_headers(request);
        return engine.router().handle(request);
    }
    void listen(WebSocketClient& client, const std::string& target = {}) {
        const http::Response response = ask(target);
        REQUIRE(response.status == 101);
        response.take_over(client.server_end());
        REQUIRE(client.read_head().starts_with("HTTP/1.1 101"));
    }
    void change(int number) {
        REQUIRE(
            engine.patch("/agents/" + agent, R"({"title":"T)" + std::to_string(number) + R"("})")
                .status == 200);
    }
    /// The number of the company's last record.
    std::int64_t last() {
        return journal::span_of(engine.services().store, *Id::parse(company)).second;
    }
};

std::int64_t seq_of(const WebSocketClient::Frame& frame) {
    REQUIRE(frame.opcode == 1);
    return parse_json(frame.payload).at("id").as_int64();
}

}  // namespace

TEST_CASE("who comes back gets what it missed, without gap or repetition, and then what happens") {
    Station station;
    for (int i = 0; i < 10; ++i) station.change(i);
    WebSocketClient client;
    station.listen(client, "?since=0");
    for (int i = 10; i < 20; ++i) station.change(i);
    std::int64_t seq = 0;
    for (bool seen_last = false; !seen_last;) {
        const auto frame = client.read();
        REQUIRE(seq_of(frame) == ++seq);
        seen_last = frame.payload.find("\"T19\"") != std::string::npos;
    }
}

TEST_CASE("who asks for what is not there must read anew") {
    Station station;
    WebSocketClient client;
    station.listen(client, "?since=1000000");
    const auto frame = client.read();
    CHECK(parse_json(frame.payload).at("type") == "resync");
    station.change(1);
    // After what was being numbered when the listener came.
    while (client.read().payload.find("\"T1\"") == std::string::npos) {
    }
}

TEST_CASE("a listener is of the company, or nobody") {
    Station station;
    const std::string key = station.engine.new_key(station.agent);
    const std::string foreign =
        station.engine.new_key(station.engine.new_agent(station.engine.new_company(), "Eve"));
    CHECK(station.ask("", key).status == 101);
    CHECK(station.ask("?token=" + key).status == 101);
    CHECK(station.ask("?token=" + foreign).status == 403);
    CHECK(station.ask("?token=pcp_wrong").status == 401);
    CHECK(station.ask("?since=x").status == 400);
    CHECK(station.ask("?since=-1").status == 400);
    // The token in the address is for browsers' WebSockets alone.
    const auto plain = request_for(http::Method::get, "/agents/me?token=" + key);
    CHECK(station.engine.router().handle(plain).status == 401);
}

}  // namespace paperclip::test
