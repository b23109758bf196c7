#include "tests/kill/company.hpp"
#include "tests/support/engine_process.hpp"
#include "tests/support/temp_folder.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <sqlite3.h>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

using std::chrono::milliseconds;

constexpr int k_agents = 60;
constexpr int k_writers = 16;
constexpr int k_in_flight = 20;
constexpr int k_more = 10;          ///< some end between the last look and the kill
constexpr int k_writes_first = 40;  ///< acknowledged by each engine before it is killed
constexpr std::array k_points{"before-spawn",  "before-go",           "after-exec",
                              "before-result", "inside-group-commit", "in-recovery"};

int kills() {
    const char* wanted = std::getenv("PAPERCLIP_KILLS");
    if (wanted != nullptr) return std::atoi(wanted);
    return PAPERCLIP_TEST_EFFORT < 1 ? 12 : 204;  // twice each point, where a sanitizer watches
}

/// Runs that had begun and not ended when the engine was killed, by what it left.
int runs_at_work(const std::filesystem::path& database) {
    sqlite3* handle = nullptr;
    sqlite3_open_v2(database.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr);
    // The next engine shall find the log as it was.
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    int count = -1;
    const auto take = [](void* out, int, char** values, char**) {
        *static_cast<int*>(out) = std::atoi(values[0]);
        return 0;
    };
    sqlite3_exec(handle, "select count(*) from heartbeat_run where status = 'running'", take,
                 &count, nullptr);
    sqlite3_close(handle);
    REQUIRE(count >= 0);
    return count;
}

struct Score {
    int kills = 0;
    int named = 0;    ///< of those at a fail point
    int unlucky = 0;  ///< the engine did not pass the point in time, and was killed anywhere
    std::vector<int> in_flight;                 ///< runs at work when killed
    std::chrono::steady_clock::duration up{0};  ///< answering, all lives together
};

/// Lets the engine work until it has enough in flight, then lets it die.
void one_life(EngineProcess& engine, Company& company, const std::filesystem::path& database,
              const std::filesystem::path& acknowledged, const char* point, std::mt19937& random,
              Score& score) {
    std::vector<std::string> environment;
    if (point != nullptr) {
        const bool is_early = std::string_view(point) == "in-recovery";
        const bool is_often = std::string_view(point) == "inside-group-commit";
        const int pass = is_early ? 10 : is_often ? 300 : 25;
        environment = {"PAPERCLIP_FAIL_POINT=" + std::string(point) + ":" + std::to_string(pass)};
    }
    const auto written = std::filesystem::file_size(acknowledged) / 37;
    engine.start(environment);
    const bool ready = engine.wait_until_ready();
    if (!ready && point == nullptr) FAIL(engine.log());  // nothing stopped it but itself
    const auto start = std::chrono::steady_clock::now();
    while (ready && engine.is_running()) {
        const bool busy = company.runs_in_flight() >= k_in_flight + k_more &&
                          std::filesystem::file_size(acknowledged) / 37 >= written + k_writes_first;
        if (busy && point == nullptr) break;
        if (std::chrono::steady_clock::now() - start > std::chrono::seconds(10)) break;
        std::this_thread::sleep_for(milliseconds(5));
    }
    if (point == nullptr) std::this_thread::sleep_for(milliseconds(random() % 60));
    const bool died = !engine.is_running();
    engine.kill();
    score.up += std::chrono::steady_clock::now() - start;
    ++score.kills;
    score.named += point != nullptr && died ? 1 : 0;
    score.unlucky += point != nullptr && !died ? 1 : 0;
    score.in_flight.push_back(runs_at_work(database));
}

}  // namespace

TEST_CASE("kill -9 at any moment loses nothing and doubles nothing") {
    const TempFolder folder;
    const auto acknowledged = folder / "acknowledged";
    const auto executed = folder / "executed";
    std::ofstream(acknowledged).close();
    EngineProcess engine(PAPERCLIP_PROGRAM, folder / "data");
    engine.start();
    REQUIRE(engine.wait_until_ready());
    Company company(engine.port(), k_agents, executed);
    WriterProcess writer(PAPERCLIP_KILL_WRITER, engine.port(), company.issue(), acknowledged,
                         k_writers);
    engine.kill();

    std::mt19937 random(20261123);
    Score score;
    auto waker = std::make_unique<Waker>(company, engine.port());
    for (int i = 0; i < kills(); ++i) {
        const char* point = i % 2 == 0 ? nullptr : k_points[(i / 2) % k_points.size()];
        one_life(engine, company, folder / "data" / "paperclip.db", acknowledged, point, random,
                 score);
    }

    engine.start();
    const bool ready = engine.wait_until_ready();
    INFO((ready ? "" : engine.log()));
    REQUIRE(ready);
    writer.stop();
    waker.reset();
    company.wait_until_idle();

    const auto writes = lines_of(acknowledged);
    const auto runs = lines_of(executed);
    const double seconds = std::chrono::duration<double>(score.up).count();
    std::sort(score.in_flight.begin(), score.in_flight.end());
    const int usual = score.in_flight.at(score.in_flight.size() / 2);
    std::cout << score.kills << " kills, " << score.named << " at named points (" << score.unlucky
              << " not reached in time), at least " << score.in_flight.front()
              << " runs in flight, " << usual << " usually; " << writes.size()
              << " acknowledged writes, " << static_cast<int>(writes.size() / seconds) << "/s; "
              << runs.size() << " runs\n";

    // A busy machine may start fewer runs than end now and then; instrumented, most of the time.
    if (PAPERCLIP_TEST_EFFORT >= 1) CHECK(usual >= k_in_flight);
    const std::set<std::string> kept = company.comments();
    CHECK(std::all_of(writes.begin(), writes.end(),
                      [&](const std::string& id) { return kept.contains(id); }));
    CHECK(std::set<std::string>(runs.begin(), runs.end()).size() == runs.size());
    CHECK(company.open_runs() == 0);
    CHECK(company.locked_issues() == 0);
    CHECK(engine.stop() == 0);
    const std::string log = engine.log();
    INFO(log);
    CHECK(log.find("Sanitizer") == std::string::npos);
    CHECK(processes_of_agents(folder.path()) == 0);
}

}  // namespace paperclip::test
