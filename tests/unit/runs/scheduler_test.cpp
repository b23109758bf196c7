#include "tests/support/test_engine.hpp"

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <filesystem>
#include <thread>

#include <catch2/catch.hpp>

namespace paperclip::test {

TEST_CASE("a check that the engine's end cut off does not keep the next from running") {
    Poco::Net::ServerSocket listener(Poco::Net::SocketAddress("127.0.0.1", 0));
    TestEngine engine(TestEngine::Work::manual, {}, PAPERCLIP_SHIM);
    engine.start();
    const std::string agent =
        engine.new_agent(engine.new_company(), "Ada",
                         R"(,"runtimeConfig":{"heartbeat":{"enabled":true,"intervalSec":600,)"
                         R"("check":["bash","-c","exec 3<>/dev/tcp/127.0.0.1/)" +
                             std::to_string(listener.address().port()) + R"("]}})");
    std::filesystem::create_directories(engine.services().world.run_folders / ("check-" + agent));
    engine.run();
    auto& scheduler = engine.services().scheduler;
    for (int beat = 1; beat <= 2; ++beat) {
        engine.advance(std::chrono::seconds(601));
        engine.run();
        listener.acceptConnection();
        while (scheduler.skips(*Id::parse(agent)).count < beat) {
            engine.run();
            std::this_thread::yield();
        }
    }
    CHECK(scheduler.skips(*Id::parse(agent)).last.back().reason == "heartbeat.check.nothing_new");
}

}  // namespace paperclip::test
