#include "durable_load.hpp"
#include "rules.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <random>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace paperclip::check {
namespace {

/// The child program under load; killed at the latest when this goes.
class Child {
 public:
    Child(const Context& context, const char* mode, const std::string& config) {
        std::vector<std::string> words = context.options.child;
        words.insert(words.end(), {mode, config});
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        int ends[2];
        expect(::pipe2(ends, O_CLOEXEC) == 0, std::string("pipe: ") + std::strerror(errno));
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        const int error =
            ::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        fd_ = ends[0];
        if (error == 0) return;
        ::close(fd_);
        throw Failed("cannot start " + words[0] + ": " + std::strerror(error));
    }
    ~Child() {
        kill();
        ::close(fd_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// The next line; false at the end of what it wrote.
    bool line(std::string& out) {
        for (;;) {
            if (const auto end = buffer_.find('\n', at_); end != std::string::npos) {
                out = buffer_.substr(at_, end - at_);
                at_ = end + 1;
                return true;
            }
            buffer_.erase(0, std::exchange(at_, 0));
            char bytes[4096];
            const auto n = ::read(fd_, bytes, sizeof bytes);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;  // what follows the last newline was never said
            buffer_.append(bytes, static_cast<std::size_t>(n));
        }
    }
    void kill() {
        if (pid_ < 0) return;
        ::kill(pid_, SIGKILL);
        wait();
    }
    /// Once it has ended: was it by a SIGKILL of its own?
    bool killed_itself() {
        const int status = wait();
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }

 private:
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return status;
    }

    pid_t pid_ = -1;
    int fd_ = -1;
    std::string buffer_;
    std::size_t at_ = 0;
};

void need_child(const Context& context) {
    if (context.options.child.empty()) throw Skipped("no program to kill was named");
}

/// Runs the child until it has said so many lines, kills it and hands on every line. A child that
/// kills itself, as one does at a fail point, saves the trouble.
template <class Take>
void kill_after(const Context& context, const char* mode, const std::string& config, int lines,
                const Take& take) {
    Child child(context, mode, config);
    std::string line;
    for (int i = 0; i < lines; ++i) {
        if (!child.line(line)) {
            expect(child.killed_itself(), "the program to kill ended by itself");
            return;
        }
        expect(!line.starts_with("e "), "the program to kill gave up: " + line);
        take(std::istringstream(line));
    }
    child.kill();
    while (child.line(line)) take(std::istringstream(line));
}

/// What the child was told, over all its lives.
struct Told {
    std::vector<std::int64_t> units = std::vector<std::int64_t>(k_load_workers, 0);
    std::map<std::int64_t, std::int64_t> owners;  // -1: somebody

    void take(std::istringstream line) {
        std::string kind;
        std::int64_t a = 0;
        std::int64_t b = -1;
        line >> kind >> a >> b;
        if (kind == "l") {
            auto& last = units.at(static_cast<std::size_t>(a));
            last = std::max(last, b);
        } else if (kind == "o") {
            const auto [at, first] = owners.emplace(a, b);
            expect(first || at->second < 0 || at->second == b,
                   "two workers were told that they own key " + std::to_string(a));
            at->second = b;
        } else if (kind == "c") {
            owners.emplace(a, -1);
        }
    }
};

void check_load(Session& session, Told& told) {
    const auto counts = session.rows(session.read("select n from kit_count order by worker"));
    const auto logs =
        session.read("select count(*), coalesce(max(n), 0) from kit_log where worker = ?1");
    const auto pairs =
        session.read("select count(*), coalesce(max(n), 0) from kit_pair where worker = ?1");
    for (int worker = 0; worker < k_load_workers; ++worker) {
        const auto index = static_cast<std::size_t>(worker);
        const auto who = "worker " + std::to_string(worker);
        const auto n = std::get<std::int64_t>(counts.at(index).at(0));
        // Applied and not yet told: at most the one unit that was on its way.
        expect(n == told.units[index] || n == told.units[index] + 1,
               who + ": expected " + std::to_string(told.units[index]) +
                   " units, which were acknowledged, or one more, found " + std::to_string(n));
        expect_rows(who + ": first rows of its units", {{n, n}}, session.rows(logs, {worker}));
        expect_rows(who + ": second rows of its units", {{n, n}}, session.rows(pairs, {worker}));
        told.units[index] = n;
    }
    std::map<std::int64_t, std::int64_t> found;
    for (const Row& row : session.rows(session.read("select id, owner from kit_key"))) {
        found.emplace(std::get<std::int64_t>(row.at(0)), std::get<std::int64_t>(row.at(1)));
    }
    for (const auto& [key, owner] : told.owners) {
        const auto at = found.find(key);
        expect(at != found.end(),
               "key " + std::to_string(key) + ": " +
                   (owner < 0 ? "a conflict was told, and what it met is not there"
                              : "expected its owner, found nothing"));
        if (owner >= 0) expect_equal("the owner of key " + std::to_string(key), owner, at->second);
    }
}

void kill_load(const Context& context) {
    need_child(context);
    const std::string config = context.options.fresh();
    {
        Session session(context, config);
        session.script(k_load_tables);
        const auto insert = session.write("insert into kit_count (worker, n) values (?1, 0)");
        for (int i = 0; i < k_load_workers; ++i) session.apply(insert, {i}, 1);
    }
    Told told;
    std::minstd_rand random(static_cast<std::uint32_t>(context.options.seed));
    const int lives = context.scaled(100, 4);
    for (int life = 0; life < lives; ++life) {
        const int lines = 1 + static_cast<int>(random() % 500);
        kill_after(context, "load", config, lines,
                   [&](std::istringstream line) { told.take(std::move(line)); });
        Session session(context, config);
        check_load(session, told);
    }
}

void kill_migration(const Context& context) {
    need_child(context);
    const std::string config = context.options.fresh();
    {
        Session session(context, config);
        session.script(k_migration_tables);
    }
    std::int64_t told = 0;
    std::minstd_rand random(static_cast<std::uint32_t>(context.options.seed));
    const int lives = context.scaled(30, 3);
    for (int life = 0; life < lives; ++life) {
        const int lines = 1 + static_cast<int>(random() % 2'000);
        kill_after(context, "migrate", config, lines, [&](std::istringstream line) {
            std::string kind;
            line >> kind;
            if (kind == "m") line >> told;
        });
        Session session(context, config);
        const auto version = session.integer(session.read("select n from kit_version"));
        expect(version == told || version == told + 1,
               "migrations: expected " + std::to_string(told) +
                   ", which were acknowledged, or one more, found " + std::to_string(version));
        for (std::int64_t n = version; n > std::max<std::int64_t>(0, version - 5); --n) {
            const auto rows = session.read("select count(*) from " + migration_table(n));
            expect_equal("rows of migration " + std::to_string(n), k_migration_rows,
                         session.integer(rows));
        }
        const auto next = session.read("select count(*) from " + migration_table(version + 1));
        expect(session.query(next).status != PC_OK,
               "found a table of a migration that is not applied");
        told = version;
    }
}

}  // namespace

std::vector<Rule> durable_rules() {
    return {
        {"durable.kill", "what was acknowledged survives kill -9, what was not is whole or absent",
         kill_load},
        {"durable.migration", "a script that kill -9 hits is whole or absent", kill_migration},
    };
}

}  // namespace paperclip::check
