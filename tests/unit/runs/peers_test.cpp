#include "tests/support/test_engine.hpp"

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <spawn.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

namespace net = Poco::Net;

/// Shell text that connects to `port` and keeps the connection until the other end closes it.
std::string connect_to(std::uint16_t port) {
    return "exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(port) + "; read line <&3";
}

http::Peer peer_of(const net::StreamSocket& socket) {
    return {"127.0.0.1", socket.peerAddress().port(), socket.address().port(), 0};
}

}  // namespace

TEST_CASE("a connection from a run's process tree is the run's, others are nobody's") {
    net::ServerSocket listener(net::SocketAddress("127.0.0.1", 0));
    const std::uint16_t port = listener.address().port();
    TestEngine engine(TestEngine::Work::threads, {}, PAPERCLIP_SHIM);
    engine.start();
    const std::string company = engine.new_company();
    // A grandchild connects.
    const std::string config =
        R"(,"adapterType":"process","adapterConfig":{"command":"bash","args":["-c","bash -c ')" +
        connect_to(port) + R"('; true"]})";
    const Answer agent =
        engine.post("/companies/" + company + "/agents", R"({"name":"Ada")" + config + '}');
    REQUIRE(agent.status == 201);
    const std::string run = engine.post("/agents/" + agent.id() + "/wakeup").id();
    net::StreamSocket of_run = listener.acceptConnection();
    const auto answer = engine.services().peers.who_is(peer_of(of_run));
    CHECK(answer.kind == access::Peers::Kind::run);
    CHECK(answer.run_id.str() == run);

    // An orphan that became the engine's child, which reaps what killed shims leave: of no run that
    // lives, and so to be trusted with nothing.
    const std::string orphan = "(bash -c '" + connect_to(port) + "' &)";
    const char* argv[] = {"bash", "-c", orphan.c_str(), nullptr};
    pid_t pid = 0;
    REQUIRE(::posix_spawnp(&pid, "bash", nullptr, nullptr, const_cast<char**>(argv), environ) == 0);
    net::StreamSocket of_other = listener.acceptConnection();
    ::waitpid(pid, nullptr, 0);
    CHECK(engine.services().peers.who_is(peer_of(of_other)).kind == access::Peers::Kind::unknown);

    of_other.close();
    of_run.close();
    engine.post("/heartbeat-runs/" + run + "/cancel");
}

}  // namespace paperclip::test
