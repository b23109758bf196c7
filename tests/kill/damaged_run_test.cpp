#include "tests/kill/company.hpp"
#include "tests/support/engine_process.hpp"
#include "tests/support/temp_folder.hpp"

#include <array>
#include <fstream>
#include <set>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

constexpr int k_damaged_agents = 8;

/// What a disk may leave of a file, in turns.
void damage(const std::filesystem::path& file, int turn) {
    static constexpr std::array<std::string_view, 4> k_leftovers{"\n", "17\n",
                                                                 R"({"kind":1,"at":{"one":"two"}})"
                                                                 "\n",
                                                                 ""};
    std::ofstream(file, std::ios::trunc) << k_leftovers[turn % k_leftovers.size()];
}

int damage_runs(const std::filesystem::path& runs) {
    int count = 0;
    for (const auto& run : std::filesystem::directory_iterator(runs)) {
        damage(run.path() / "inputs", count);
        ++count;
    }
    return count;
}

}  // namespace

TEST_CASE("a run whose files are damaged is lost, and nothing else") {
    const TempFolder folder;
    const auto executed = folder / "executed";
    EngineProcess engine(PAPERCLIP_PROGRAM, folder / "data");
    engine.start();
    REQUIRE(engine.wait_until_ready());
    Company company(engine.port(), k_damaged_agents, executed);
    HttpClient client(engine.port());
    while (company.runs_in_flight() < k_damaged_agents / 2) company.wake_everybody(client);
    engine.kill();
    REQUIRE(damage_runs(folder / "data" / "runs") > 0);

    engine.start();
    const bool ready = engine.wait_until_ready();
    INFO((ready ? "" : engine.log()));
    REQUIRE(ready);
    company.wait_until_idle();
    const auto runs = lines_of(executed);
    CHECK(std::set<std::string>(runs.begin(), runs.end()).size() == runs.size());
    CHECK(company.locked_issues() == 0);
    CHECK(processes_of_agents(folder.path()) == 0);
    CHECK(engine.stop() == 0);
    const std::string log = engine.log();
    INFO(log);
    CHECK(log.find("Sanitizer") == std::string::npos);
}

}  // namespace paperclip::test
