#include "tests/bench/measure.hpp"

#include "tests/bench/raw_client.hpp"
#include "tests/support/engine_process.hpp"
#include "tests/support/http_client.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <spawn.h>
#include <sqlite3.h>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/json.hpp>

namespace paperclip::bench {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double percentile(std::vector<double> values, double part) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

double median(std::vector<double> values) {
    return percentile(std::move(values), 0.5);
}

/// What the disk needs for a small append to be durable.
double fdatasync_p50_ms(const std::filesystem::path& folder) {
    const auto file = folder / "sync";
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const std::string block(4096, 'x');
    std::vector<double> times;
    for (int i = 0; i < 400; ++i) {
        if (::write(fd, block.data(), block.size()) < 0) break;
        const auto start = Clock::now();
        ::fdatasync(fd);
        times.push_back(ms_since(start));
    }
    ::close(fd);
    std::filesystem::remove(file);
    return median(times);
}

/// How many programs of the kind that the runs execute this machine starts and ends in a second,
/// from two threads, with nothing around them: no engine can make more runs.
double programs_per_s() {
    constexpr int k_each = 300;
    const auto start = Clock::now();
    const auto work = [] {
        char name[] = "true";
        char* const arguments[] = {name, nullptr};
        for (int i = 0; i < k_each; ++i) {
            pid_t pid = 0;
            if (::posix_spawn(&pid, "/bin/true", nullptr, nullptr, arguments, environ) == 0) {
                ::waitpid(pid, nullptr, 0);
            }
        }
    };
    std::thread other(work);
    work();
    other.join();
    return 2 * k_each * 1000 / ms_since(start);
}

std::string id_in(std::string_view body) {
    const auto at = body.find("\"id\":\"");
    return at == std::string_view::npos ? "" : std::string(body.substr(at + 6, 36));
}

std::string serialized(const json::value& value) {
    return json::serialize(value);
}

/// PSS of the engine in MiB.
double pss_mib(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("Pss:")) return std::stod(line.substr(4)) / 1024;
    }
    return 0;
}

/// CPU time of the engine so far, in seconds.
double cpu_seconds(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text);
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string field;
    double ticks = 0;
    for (int i = 3; i <= 15 && fields >> field; ++i) {
        if (i >= 14) ticks += std::stod(field);
    }
    return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Seconds of an RFC 3339 time within its day, with milliseconds.
double seconds_of(const json::value& time) {
    const std::string text(time.as_string());
    return std::stod(text.substr(11, 2)) * 3600 + std::stod(text.substr(14, 2)) * 60 +
           std::stod(text.substr(17, 6));
}

/// A transaction that reads the database, so that its log cannot begin anew.
class HeldSnapshot {
 public:
    explicit HeldSnapshot(const std::filesystem::path& database) {
        if (sqlite3_open_v2(database.c_str(), &handle_, SQLITE_OPEN_READWRITE, nullptr) !=
                SQLITE_OK ||
            sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr) != SQLITE_OK ||
            sqlite3_exec(handle_, "begin; select count(*) from issue", nullptr, nullptr, nullptr) !=
                SQLITE_OK) {
            throw std::runtime_error("cannot read " + database.string());
        }
    }
    ~HeldSnapshot() { release(); }
    HeldSnapshot(const HeldSnapshot&) = delete;
    HeldSnapshot& operator=(const HeldSnapshot&) = delete;
    void release() { sqlite3_close(std::exchange(handle_, nullptr)); }

 private:
    sqlite3* handle_ = nullptr;
};

/// The share of a Prometheus histogram's observations that were at most `limit`.
double share_within(const std::string& page, const std::string& histogram,
                    const std::string& limit) {
    const auto value = [&page](const std::string& name) {
        const auto at = page.find("\n" + name + " ");
        return at == std::string::npos ? 0.0 : std::stod(page.substr(at + name.size() + 2));
    };
    return value(histogram + "_bucket{le=\"" + limit + "\"}") / value(histogram + "_count");
}

class Bench {
 public:
    explicit Bench(const Plan& plan) : plan_(plan), engine_(plan.program, plan.folder / "data") {}

    json::object run() {
        std::filesystem::create_directories(plan_.folder);
        figures_["fdatasync_p50_ms"] = fdatasync_p50_ms(plan_.folder);
        figures_["programs_per_s"] = programs_per_s();
        engine_.start();
        engine_.wait_until_ready();
        set_up();
        part("start", [this] { cold_start(); });
        part("wal", [this] { start_with_large_log(); });
        figures_["pss_idle_mib"] = pss_mib(engine_.pid());
        part("race", [this] { races(); });
        part("issues", [this] { create_issues(); });
        part("run", [this] { one_run_at_a_time(); });
        part("runs", [this] { many_runs(); });
        part("wakes", [this] { many_wakes(); });
        figures_["pss_after_load_mib"] = pss_mib(engine_.pid());
        if (plan_.idle_minutes > 0) part("idle", [this] { idle_agents(); });
        return std::move(figures_);
    }

 private:
    void part(std::string_view name, const std::function<void()>& measure_it) {
        if (plan_.only.empty() || plan_.only == name) measure_it();
    }

    std::string create(RawClient& client, const std::string& path, const json::value& body) {
        if (client.send("POST", path, serialized(body)) != 201) {
            throw std::runtime_error("POST " + path + ": " + std::string(client.body()));
        }
        return id_in(client.body());
    }

    void set_up() {
        RawClient client(engine_.port());
        company_ = create(client, "/companies", {{"name", "Bench"}});
        for (int i = 0; i < 1000; ++i) {
            create(client, issues(), {{"title", "Issue " + std::to_string(i)}, {"status", "todo"}});
        }
        for (int i = 0; i < 64; ++i)
            workers_.push_back(new_agent(client, "Worker", "/bin/true", {}));
    }
    std::string new_agent(RawClient& client, const std::string& name, const std::string& command,
                          const json::array& args) {
        return create(
            client, "/companies/" + company_ + "/agents",
            {{"name", name},
             {"role", "engineer"},
             {"adapterType", "process"},
             {"adapterConfig", {{"command", command}, {"args", args}}},
             {"runtimeConfig", {{"heartbeat", {{"enabled", false}, {"maxConcurrentRuns", 1}}}}}});
    }
    [[nodiscard]] std::string issues() const { return "/companies/" + company_ + "/issues"; }

    double start_ms() {
        const auto start = Clock::now();
        engine_.start();
        for (;;) {
            try {
                RawClient client(engine_.port());
                if (client.send("GET", "/health") == 200) return ms_since(start);
            } catch (const std::exception&) {
                std::this_thread::sleep_for(std::chrono::microseconds(500));
            }
        }
    }
    void cold_start() {
        std::vector<double> clean;
        std::vector<double> killed;
        for (int i = 0; i < 5; ++i) {
            engine_.stop();
            clean.push_back(start_ms());
            engine_.kill();
            killed.push_back(start_ms());
        }
        figures_["cold_start_ms"] = median(clean);
        figures_["start_after_kill_ms"] = median(killed);
    }

    [[nodiscard]] std::filesystem::path database() const {
        return plan_.folder / "data" / "paperclip.db";
    }

    /// Writes until the write-ahead log has 200 MiB, which a reader keeps from being reused, and
    /// starts on it after a kill.
    void start_with_large_log() {
        constexpr std::uintmax_t k_bytes = 200 << 20;
        const std::string body = serialized({{"body", std::string(60'000, 'x')}});
        const std::filesystem::path log = database().string() + "-wal";
        std::vector<double> times;
        for (int i = 0; i < 3; ++i) {
            HeldSnapshot snapshot(database());
            {
                RawClient client(engine_.port());
                const std::string issue = create(client, issues(), {{"title", "Long"}});
                while (std::filesystem::file_size(log) < k_bytes) {
                    create(client, "/issues/" + issue + "/comments", json::parse(body));
                }
            }
            engine_.kill();
            snapshot.release();
            times.push_back(start_ms());
        }
        figures_["start_after_kill_200_mib_wal_ms"] = median(times);
    }

    /// Calls `work` on `connections` threads for the planned time; returns calls a second.
    double load(int connections, const std::function<bool(RawClient&, int)>& work) {
        std::atomic<std::int64_t> good{0};
        const auto start = Clock::now();
        const auto end = start + std::chrono::seconds(plan_.seconds);
        std::vector<std::thread> threads;
        for (int i = 0; i < connections; ++i) {
            threads.emplace_back([&, i] {
                RawClient client(engine_.port());
                while (Clock::now() < end) good += work(client, i) ? 1 : 0;
            });
        }
        for (auto& thread : threads) thread.join();
        return static_cast<double>(good) * 1000 / ms_since(start);
    }

    void create_issues() {
        const std::string body = R"({"title":"Made by the bench","status":"backlog"})";
        std::vector<double> rates;
        for (int i = 0; i < 3; ++i) {
            rates.push_back(load(16, [&](RawClient& client, int) {
                return client.send("POST", issues(), body) == 201;
            }));
        }
        figures_["issues_created_per_s_16"] = median(rates);
        const double p50 = figures_["fdatasync_p50_ms"].as_double();
        figures_["issues_created_wanted_per_s"] = 0.6 * std::min(16 / (1.5 * p50 / 1000), 15000.0);
    }

    void races() {
        constexpr int k_sockets = 50;
        std::vector<std::unique_ptr<RawClient>> clients;
        for (int i = 0; i < k_sockets; ++i) {
            clients.push_back(std::make_unique<RawClient>(engine_.port()));
        }
        std::vector<double> times;
        int wrong = 0;
        for (int round = 0; round < 100; ++round) {
            const std::string issue =
                create(*clients[0], issues(), {{"title", "Race"}, {"status", "todo"}});
            std::atomic<int> winners{0};
            std::vector<std::thread> threads;
            std::atomic<bool> go{false};
            for (int i = 0; i < k_sockets; ++i) {
                threads.emplace_back([&, i] {
                    const std::string body =
                        serialized({{"agentId", workers_[static_cast<std::size_t>(i)]},
                                    {"expectedStatuses", {"todo"}}});
                    while (!go) std::this_thread::yield();
                    const int status = clients[static_cast<std::size_t>(i)]->send(
                        "POST", "/issues/" + issue + "/checkout", body);
                    winners += status == 200 ? 1 : 0;
                });
            }
            const auto start = Clock::now();
            go = true;
            for (auto& thread : threads) thread.join();
            times.push_back(ms_since(start));
            wrong += winners == 1 ? 0 : 1;
        }
        figures_["race_50_checkouts_ms_p50"] = median(times);
        figures_["race_50_checkouts_ms_p99"] = percentile(times, 0.99);
        figures_["race_rounds_without_exactly_one_winner"] = wrong;
    }

    json::value get(RawClient& client, const std::string& path) {
        client.send("GET", path);
        return json::parse(json::string_view(client.body().data(), client.body().size()));
    }

    void one_run_at_a_time() {
        RawClient client(engine_.port());
        std::vector<double> times;
        for (int i = 0; i < 200; ++i) {
            const auto& agent = workers_[static_cast<std::size_t>(i) % workers_.size()];
            client.send("POST", "/agents/" + agent + "/heartbeat/invoke", "{}");
            const std::string run = id_in(client.body());
            for (;;) {
                const json::value state = get(client, "/heartbeat-runs/" + run);
                const auto& fields = state.as_object();
                if (!fields.at("finishedAt").is_null()) {
                    times.push_back(
                        (seconds_of(fields.at("finishedAt")) - seconds_of(fields.at("createdAt"))) *
                        1000);
                    break;
                }
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        }
        figures_["wake_to_finished_ms_p50"] = median(times);
        figures_["wake_to_finished_ms_p99"] = percentile(times, 0.99);
    }

    /// Runs that have ended well since the engine started.
    std::int64_t finished_runs() {
        const std::string name = "\npaperclip_runs_total{status=\"succeeded\"} ";
        const std::string page = test::HttpClient(engine_.port()).page("/metrics").body;
        const auto at = page.find(name);
        return at == std::string::npos ? 0 : std::stoll(page.substr(at + name.size()));
    }

    void wait_for_runs(std::int64_t finished) {
        while (finished_runs() < finished)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }

    /// Asks for 300 runs a second over four connections; the queue must not grow.
    void many_runs() {
        constexpr double k_rate = 300;
        const std::int64_t before = finished_runs();
        const auto start = Clock::now();
        std::atomic<std::int64_t> asked{0};
        std::mutex mutex;
        std::set<std::string> begun;  // a wake whose agent's last one still waits makes no new run
        std::vector<std::thread> askers;
        for (int i = 0; i < 4; ++i) {
            askers.emplace_back([&] {
                RawClient client(engine_.port());
                while (ms_since(start) < plan_.seconds * 1000.0) {
                    const std::int64_t number = asked++;
                    std::this_thread::sleep_until(
                        start + std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(number / k_rate)));
                    const auto& agent =
                        workers_[static_cast<std::size_t>(number) % workers_.size()];
                    client.send("POST", "/agents/" + agent + "/heartbeat/invoke", "{}");
                    const std::lock_guard lock(mutex);
                    begun.insert(id_in(client.body()));
                }
            });
        }
        const auto count_begun = [&] {
            const std::lock_guard lock(mutex);
            return static_cast<std::int64_t>(begun.size());
        };
        std::vector<double> waiting;
        while (ms_since(start) < plan_.seconds * 1000.0) {
            const std::int64_t known = count_begun();
            waiting.push_back(static_cast<double>(known - (finished_runs() - before)));
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        for (auto& asker : askers) asker.join();
        const double asked_ms = ms_since(start);
        wait_for_runs(before + count_begun());
        const auto half = waiting.begin() + static_cast<long>(waiting.size() / 2);
        figures_["runs_per_s"] = static_cast<double>(count_begun()) * 1000 / ms_since(start);
        figures_["runs_asked_per_s"] = static_cast<double>(asked) * 1000 / asked_ms;
        figures_["runs_at_work_or_waiting_first_half"] = median({waiting.begin(), half});
        figures_["runs_at_work_or_waiting_second_half"] = median({half, waiting.end()});
    }

    double wakes_per_s(const std::vector<std::string>& agents) {
        return load(16, [&](RawClient& client, int i) {
            const int status =
                client.send("POST", "/agents/" + agents[static_cast<std::size_t>(i)] + "/wakeup",
                            R"({"source":"on_demand"})");
            return status == 200 || status == 202;
        });
    }

    /// Wakes of agents that are at work, and of agents whose programs end at once: these make runs
    /// as fast as the machine can start programs, beside the wakes.
    void many_wakes() {
        figures_["wakes_accepted_per_s_16_while_runs_start"] = wakes_per_s(workers_);
        wait_until_quiet();
        std::vector<std::string> busy;
        {
            RawClient client(engine_.port());
            for (int i = 0; i < 16; ++i) {
                busy.push_back(new_agent(client, "Busy", "/bin/sleep", {"3600"}));
            }
        }
        figures_["wakes_accepted_per_s_16"] = wakes_per_s(busy);
        RawClient client(engine_.port());
        for (const auto& agent : busy) client.send("POST", "/agents/" + agent + "/terminate");
        wait_until_quiet();
    }

    void wait_until_quiet() {
        RawClient client(engine_.port());
        const std::string live = "/companies/" + company_ + "/live-runs";
        while (!get(client, live).as_array().empty()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }

    /// So that their heartbeats are spread over the hour, and some come while we measure.
    void as_if_made_over_the_last_hour() {
        engine_.stop();
        sqlite3* handle = nullptr;
        const bool done =
            sqlite3_open(database().c_str(), &handle) == SQLITE_OK &&
            sqlite3_exec(handle,
                         "update agent set created_at = created_at - abs(random()) % 3600000000 "
                         "where name like 'Idle %'",
                         nullptr, nullptr, nullptr) == SQLITE_OK;
        sqlite3_close(handle);
        if (!done) throw std::runtime_error("cannot change " + database().string());
        engine_.start();
        engine_.wait_until_ready();
    }

    void idle_agents() {
        RawClient client(engine_.port());
        for (int i = 0; i < 100'000; ++i) {
            create(
                client, "/companies/" + company_ + "/agents",
                {{"name", "Idle " + std::to_string(i)},
                 {"role", "engineer"},
                 {"adapterType", "process"},
                 {"adapterConfig", {{"command", "/bin/true"}}},
                 {"runtimeConfig", {{"heartbeat", {{"enabled", true}, {"intervalSec", 3600}}}}}});
        }
        as_if_made_over_the_last_hour();
        std::this_thread::sleep_for(std::chrono::seconds(20));
        const double cpu = cpu_seconds(engine_.pid());
        const auto size = std::filesystem::file_size(database());
        std::this_thread::sleep_for(std::chrono::minutes(plan_.idle_minutes));
        const double seconds = plan_.idle_minutes * 60.0;
        figures_["idle_100k_cpu_percent"] = (cpu_seconds(engine_.pid()) - cpu) / seconds * 100;
        figures_["idle_100k_timers_within_50_ms"] =
            share_within(test::HttpClient(engine_.port()).page("/metrics").body,
                         "paperclip_timer_lateness_seconds", "0.05");
        figures_["idle_100k_pss_mib"] = pss_mib(engine_.pid());
        figures_["idle_100k_growth_mib_per_h"] =
            static_cast<double>(std::filesystem::file_size(database()) - size) / (1 << 20) /
            seconds * 3600;
    }

    Plan plan_;
    test::EngineProcess engine_;
    json::object figures_;
    std::string company_;
    std::vector<std::string> workers_;
};

}  // namespace

std::string measure(const Plan& plan) {
    return json::serialize(Bench(plan).run());
}

}  // namespace paperclip::bench
