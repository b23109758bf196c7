#include "engine/http/streams.hpp"
#include "tests/support/websocket_client.hpp"

#include <future>

#include <catch2/catch.hpp>

namespace paperclip::http {
namespace {

std::shared_ptr<Stream> open(Streams& streams, test::WebSocketClient& client) {
    Request request;
    request.path = "/events";
    request.headers.emplace_back("Host", "localhost");
    request.peer.address = "127.0.0.1";
    test::WebSocketClient::add_headers(request);
    auto opened = std::make_shared<std::promise<std::shared_ptr<Stream>>>();
    streams.accept(
        client.server_end(), request,
        {[opened](std::shared_ptr<Stream> stream) { opened->set_value(std::move(stream)); },
         [] {}});
    REQUIRE(client.read_head().starts_with("HTTP/1.1 101"));
    return opened->get_future().get();
}

std::shared_ptr<const std::string> message(char filler) {
    return std::make_shared<const std::string>(1 << 20, filler);
}

}  // namespace

TEST_CASE("messages come in their order") {
    Streams streams;
    test::WebSocketClient client;
    const auto stream = open(streams, client);
    for (int i = 0; i < 100; ++i)
        stream->send(std::make_shared<const std::string>(std::to_string(i)));
    for (int i = 0; i < 100; ++i) CHECK(client.read().payload == std::to_string(i));
    CHECK(streams.count() == 1);
    streams.stop();  // also from a client that has no answer to the goodbye
    CHECK(streams.count() == 0);
    CHECK(client.read().code() == 1012);

    test::WebSocketClient late;
    streams.accept(late.server_end(), {}, {[](const auto&) { FAIL("opened"); }, [] {}});
    CHECK(late.is_closed());
}

// The message that was being written used to be freed when its client was given up.
TEST_CASE("a client that does not keep up is sent away when it reads again") {
    Streams streams;
    test::WebSocketClient client;
    const auto stream = open(streams, client);
    for (char c = 'a'; c < 'a' + 20; ++c) stream->send(message(c));
    std::string expected = "a";
    auto frame = client.read();
    for (; frame.opcode == 1; frame = client.read(), ++expected[0]) {
        REQUIRE(frame.payload == std::string(1 << 20, expected[0]));
    }
    CHECK(frame.opcode == 8);
    CHECK(frame.code() == 1013);
    CHECK(stream->queued_bytes() > 0);
}

TEST_CASE("what is no handshake opens nothing") {
    Streams streams;
    test::WebSocketClient client;
    Request request;
    request.path = "/events";
    request.headers = {
        {"Host", "localhost"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Key", "short"}};
    request.peer.address = "127.0.0.1";
    streams.accept(
        client.server_end(), request,
        {[](const std::shared_ptr<Stream>&) { FAIL("opened"); }, [] { FAIL("closed"); }});
    CHECK(client.read_head().starts_with("HTTP/1.1 4"));
}

}  // namespace paperclip::http
