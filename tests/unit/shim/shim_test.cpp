#include "engine/pluginhost/shim_children.hpp"
#include "tests/support/temp_folder.hpp"

#include <condition_variable>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <thread>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

using pluginhost::Children;
using pluginhost::ProcessIdentity;
using pluginhost::ShimChildren;

/// Waits for news of a program until `condition` holds.
void wait_until(Children& children, const std::filesystem::path& folder,
                const ProcessIdentity& process, const std::function<bool()>& condition) {
    std::mutex mutex;
    std::condition_variable changed;
    children.watch(folder, process, [&] {
        const std::lock_guard lock(mutex);
        changed.notify_all();
    });
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, condition);
    }
    children.unwatch(folder);
}

/// A program under a real shim.
class Program {
 public:
    explicit Program(shim::Spec spec) {
        spec.environment.push_back(std::string("PATH=") + std::getenv("PATH"));
        spec.cwd = folder_.path();
        std::filesystem::create_directories(run_);
        identity_ = children_->prepare(run_, spec);
    }
    explicit Program(const std::string& script) : Program(spec_of(script)) {}
    ~Program() {
        children().order(run_, identity_, shim::Order::kill);
        children().abandon(run_);
        wait();
    }

    static shim::Spec spec_of(const std::string& script) {
        shim::Spec spec;
        spec.argv = {"sh", "-c", script};
        return spec;
    }
    Program& go() {
        children().go(run_);
        return *this;
    }
    /// Waits until the program has ended, or will not begin; how it did.
    std::optional<shim::Exit> wait() {
        wait_for([&] { return children().state(run_, identity_) != Children::State::running; });
        return children().exit(run_);
    }
    shim::Exit end() {
        const auto exit = wait();
        REQUIRE(exit);
        return *exit;
    }
    /// Waits until the program has printed `text`.
    void wait_for_output(const std::string& text) {
        wait_for([&] { return output(1).find(text) != std::string::npos; });
    }
    std::string output(int stream) {
        std::string text;
        std::int64_t offset = 0;
        for (;;) {
            const auto next = children().read_output(run_, offset, 1 << 20, [&](const auto& piece) {
                if (piece.stream == stream) text += piece.bytes;
            });
            if (next == offset) return text;
            offset = next;
        }
    }
    /// The engine goes away.
    void lose_engine() { children_.reset(); }
    void take_up() { children_ = std::make_unique<ShimChildren>(PAPERCLIP_SHIM); }

    Children& children() { return *children_; }
    const std::filesystem::path& run() const { return run_; }
    const ProcessIdentity& identity() const { return identity_; }

 private:
    void wait_for(const std::function<bool()>& condition) {
        wait_until(children(), run_, identity_, condition);
    }

    TempFolder folder_;
    std::filesystem::path run_ = folder_ / "run";
    std::unique_ptr<ShimChildren> children_ = std::make_unique<ShimChildren>(PAPERCLIP_SHIM);
    ProcessIdentity identity_;
};

std::vector<std::int64_t> children_of_this_process() {
    std::vector<std::int64_t> pids;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream list(task.path() / "children");
        for (std::int64_t pid = 0; list >> pid;) pids.push_back(pid);
    }
    return pids;
}

}  // namespace

TEST_CASE("a program's output and exit status are kept") {
    Program program("echo out; echo err >&2; exit 7");
    const shim::Exit exit = program.go().end();
    CHECK(exit.code == 7);
    CHECK(exit.signal == 0);
    CHECK(exit.reason == shim::StopReason::none);
    CHECK(program.output(1) == "out\n");
    CHECK(program.output(2) == "err\n");
    CHECK(program.children().state(program.run(), program.identity()) == Children::State::ended);
}

TEST_CASE("a program holds none of the engine's files and connections") {
    const TempFolder folder;
    // As libraries open theirs: without O_CLOEXEC.
    const int opened = ::open((folder / "of-the-engine").c_str(), O_RDWR | O_CREAT, 0600);
    const int ours = ::fcntl(opened, F_DUPFD, 50);
    REQUIRE(ours >= 50);
    Program program("readlink /proc/self/fd/*; echo listed");
    CHECK(program.go().end().code == 0);
    CHECK(program.output(1).find("listed") != std::string::npos);
    CHECK(program.output(1).find("of-the-engine") == std::string::npos);
    ::close(ours);
    ::close(opened);
}

TEST_CASE("a program that kills itself, and one that is not there") {
    CHECK(Program("kill -9 $$").go().end().signal == 9);
    shim::Spec spec;
    spec.argv = {"/no/such/program"};
    const shim::Exit exit = Program(spec).go().end();
    CHECK(exit.start_error == ENOENT);
}

// What was written before go used to wait for a minute, or for anything else to happen.
TEST_CASE("a program reads what is written for it") {
    auto spec = Program::spec_of("cat");
    spec.has_input = true;
    Program program(spec);
    program.children().write_input(program.run(), "one\n", false);
    program.go();
    program.wait_for_output("one");
    program.children().write_input(program.run(), "two\n", true);
    CHECK(program.end().code == 0);
    CHECK(program.output(1) == "one\ntwo\n");
    CHECK(program.children().input_size(program.run()) == 8);
}

TEST_CASE("bounds end a program") {
    auto spec = Program::spec_of("");
    SECTION("time") {
        spec = Program::spec_of("sleep 1000");
        spec.timeout_ms = 50;
        CHECK(Program(spec).go().end().reason == shim::StopReason::timeout);
    }
    SECTION("silence") {
        spec = Program::spec_of("echo hello; sleep 1000");
        spec.silence_ms = 50;
        CHECK(Program(spec).go().end().reason == shim::StopReason::silence);
    }
    SECTION("output") {
        spec = Program::spec_of("yes");
        spec.max_output_bytes = 100'000;
        Program program(spec);
        CHECK(program.go().end().reason == shim::StopReason::output_limit);
        CHECK(program.output(1).size() <= 100'000 + shim::k_max_record);
    }
    SECTION("who does not mind TERM is killed after the grace") {
        spec = Program::spec_of("trap '' TERM; while :; do sleep 1000; done");
        spec.timeout_ms = 50;
        spec.grace_ms = 50;
        const auto exit = Program(spec).go().end();
        CHECK(exit.reason == shim::StopReason::timeout);
        CHECK(exit.signal == 9);
    }
}

TEST_CASE("a kill takes the whole tree, also those that left the group") {
    Program program(
        "(setsid sh -c 'echo $$ > daemon; exec sleep 1000' &)\n"
        "sh -c 'sleep 1000' & while [ ! -s daemon ]; do :; done; echo ready; wait");
    program.go();
    program.wait_for_output("ready");
    std::int64_t daemon = 0;
    std::ifstream(program.run().parent_path() / "daemon") >> daemon;
    const auto identity = pluginhost::identify_process(daemon);
    REQUIRE(identity);
    program.children().order(program.run(), program.identity(), shim::Order::kill);
    CHECK(program.end().reason == shim::StopReason::order);
    CHECK_FALSE(pluginhost::is_same_process(*identity));
}

TEST_CASE("what a killed shim leaves behind is found by the environment it was started with") {
    const auto spec_with = [](const std::string& variable) {
        auto spec = Program::spec_of(
            "(setsid sh -c 'echo $$ > daemon; exec sleep 1000' &)\n"
            "while [ ! -s daemon ]; do :; done; echo ready; sleep 1000");
        spec.environment.push_back(variable);
        return spec;
    };
    Program lost(spec_with("PAPERCLIP_RUN_ID=lost"));
    Program other(spec_with("PAPERCLIP_RUN_ID=lost-not"));
    const auto daemon_of = [](Program& program) {
        program.go();
        program.wait_for_output("ready");
        std::int64_t pid = 0;
        std::ifstream(program.run().parent_path() / "daemon") >> pid;
        const auto identity = pluginhost::identify_process(pid);
        REQUIRE(identity);
        return *identity;
    };
    const ProcessIdentity stray = daemon_of(lost);
    const ProcessIdentity neighbour = daemon_of(other);
    ::kill(static_cast<pid_t>(lost.identity().pid), SIGKILL);
    CHECK_FALSE(lost.wait());
    CHECK(lost.children().state(lost.run(), lost.identity()) == Children::State::lost);
    CHECK(pluginhost::is_same_process(stray));

    CHECK(lost.children().end_strays("PAPERCLIP_RUN_ID=lost") >= 2);
    CHECK_FALSE(pluginhost::is_same_process(stray));
    CHECK(pluginhost::is_same_process(neighbour));
    CHECK(lost.children().end_strays("PAPERCLIP_RUN_ID=lost") == 0);
}

TEST_CASE("an orphan of a killed shim is found though it cleared its environment") {
    Program lost(
        "env -i setsid /bin/sh -c 'echo $$ > daemon; exec /bin/sleep 1000' &\n"
        "while [ ! -s daemon ]; do :; done; echo ready; exec sleep 1000");
    lost.go();
    lost.wait_for_output("ready");
    std::int64_t daemon = 0;
    std::ifstream(lost.run().parent_path() / "daemon") >> daemon;
    const auto orphan = pluginhost::identify_process(daemon);
    REQUIRE(orphan);
    lost.children().order(lost.run(), lost.identity(), shim::Order::destroy);
    CHECK(lost.children().end_strays("PAPERCLIP_RUN_ID=nobody's") >= 2);
    CHECK_FALSE(pluginhost::is_same_process(*orphan));
}

TEST_CASE("a program that writes its own note has not ended") {
    Program program(
        "printf 'code 0\n' > run/exit; echo written; while [ ! -e go-on ]; do sleep 0.01; done; "
        "exit 4");
    program.go();
    bool written = false;
    const auto state = [&] { return program.children().state(program.run(), program.identity()); };
    wait_until(program.children(), program.run(), program.identity(), [&] {
        if (!written && program.output(1).find("written") != std::string::npos) {
            written = true;
            CHECK(state() == Children::State::running);
            std::ofstream(program.run().parent_path() / "go-on") << "now";
        }
        return state() != Children::State::running;
    });
    CHECK(written);
    CHECK(program.end().code == 4);
}

TEST_CASE("a program that stops its shim is ended all the same") {
    Program program("kill -STOP $PPID; exec sleep 1000");
    program.go();
    const auto is_stopped = [&] {
        std::ifstream file("/proc/" + std::to_string(program.identity().pid) + "/stat");
        std::string stat;
        std::getline(file, stat);
        return stat.find(") T ") != std::string::npos;
    };
    while (!is_stopped()) std::this_thread::yield();
    program.children().order(program.run(), program.identity(), shim::Order::kill);
    CHECK(program.end().reason == shim::StopReason::order);
}

TEST_CASE("a shim that served one owner does not serve another") {
    const auto spec_of = [](const std::string& owner) {
        auto spec = Program::spec_of("exit 0");
        spec.owner = owner;
        return spec;
    };
    Program first(spec_of("one"));
    first.go().end();
    const auto folder = first.run().parent_path() / "second";
    std::filesystem::create_directories(folder);
    auto spec = spec_of("two");
    spec.cwd = folder;
    CHECK(first.children().prepare(folder, spec).pid != first.identity().pid);
    first.children().abandon(folder);
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    spec.owner = "one";
    CHECK(first.children().prepare(folder, spec).pid == first.identity().pid);
    first.children().abandon(folder);
}

TEST_CASE("a program does not inherit that its engine was started in the background") {
    ::signal(SIGINT, SIG_IGN);
    Program program("kill -INT $$; exit 0");
    const auto exit = program.go().end();
    ::signal(SIGINT, SIG_DFL);
    CHECK(exit.signal == SIGINT);
}

TEST_CASE("what a program leaves behind ends with it") {
    const shim::Exit exit = Program("sleep 1000 & exit 0").go().end();
    CHECK(exit.code == 0);
    CHECK(exit.left_behind >= 1);
}

TEST_CASE("a program whose engine is gone before go is not executed") {
    Program program("echo executed > proof");
    SECTION("gone") {
        program.lose_engine();
        program.take_up();
        program.children().settle(program.run(), program.identity());
    }
    SECTION("given up") {
        program.children().abandon(program.run());
    }
    program.wait();
    CHECK_FALSE(std::filesystem::exists(program.run() / shim::k_output_file));
    CHECK_FALSE(std::filesystem::exists(program.run().parent_path() / "proof"));
    CHECK(program.children().state(program.run(), program.identity()) ==
          Children::State::never_started);
}

TEST_CASE("a program outlives its engine, and the next one hears how it ended") {
    Program program(
        "echo before; while [ ! -e ../go-on ] && [ ! -e go-on ]; do sleep 0.01; done; echo after; "
        "exit 3");
    program.go();
    program.wait_for_output("before");
    program.lose_engine();
    program.take_up();
    CHECK(program.children().state(program.run(), program.identity()) == Children::State::running);
    std::ofstream(program.run().parent_path() / "go-on") << "now";
    CHECK(program.end().code == 3);
    CHECK(program.output(1) == "before\nafter\n");
}

TEST_CASE("a run starts although the shims that waited for it were killed") {
    Program first("echo one");
    // Those that stand ready are the engine's other children.
    for (const auto pid : children_of_this_process()) {
        if (pid != first.identity().pid) ::kill(static_cast<pid_t>(pid), SIGKILL);
    }
    shim::Spec spec = Program::spec_of("echo two");
    spec.environment.push_back(std::string("PATH=") + std::getenv("PATH"));
    spec.cwd = first.run().parent_path();
    const auto folder = first.run().parent_path() / "second";
    std::filesystem::create_directories(folder);
    const auto second = first.children().prepare(folder, spec);
    CHECK(first.children().state(folder, second) == Children::State::running);
    first.children().abandon(folder);
    CHECK(first.go().end().code == 0);
}

TEST_CASE("a shim serves one run after another, and nothing of one is in the next") {
    Program first("exit 3");
    CHECK(first.go().end().code == 3);
    const auto run_another = [&](const std::string& script) {
        const auto folder = first.run().parent_path() / "another";
        std::filesystem::remove_all(folder);
        std::filesystem::create_directories(folder);
        shim::Spec spec = Program::spec_of(script);
        spec.environment.push_back(std::string("PATH=") + std::getenv("PATH"));
        spec.cwd = folder;
        const auto process = first.children().prepare(folder, spec);
        // An order that comes too late is not meant for it.
        first.children().order(first.run(), first.identity(), shim::Order::kill);
        first.children().go(folder);
        wait_until(first.children(), folder, process,
                   [&] { return first.children().exit(folder).has_value(); });
        CHECK(process.pid == first.identity().pid);
        return *first.children().exit(folder);
    };
    CHECK(run_another("exit 5").code == 5);
    // As many descriptors as the first one had: three streams, and what the shell opened.
    CHECK(run_another("exit $(ls /proc/self/fd | wc -l)").code == 4);
    CHECK(run_another("kill -9 $$").signal == 9);
    // What was signalled to the shim itself between two runs is forgotten.
    ::kill(static_cast<pid_t>(first.identity().pid), SIGUSR1);
    const auto last = run_another("exit 0");
    CHECK(last.code == 0);
    CHECK(last.reason == shim::StopReason::none);
}

TEST_CASE("an order to a process that is another one by now does nothing") {
    Program program("sleep 1000");
    program.go();
    auto other = program.identity();
    ++other.start_ticks;
    program.children().order(program.run(), other, shim::Order::kill);
    CHECK_FALSE(pluginhost::is_same_process(other));
    CHECK(pluginhost::is_same_process(program.identity()));
}

TEST_CASE("what the engine and the shim tell each other survives") {
    shim::Spec spec;
    spec.argv = {"a", "", std::string("b\n\0c", 4)};
    spec.environment = {"A=1"};
    spec.cwd = "/tmp";
    spec.has_input = true;
    spec.timeout_ms = 1;
    spec.max_output_bytes = std::int64_t{1} << 40;
    const std::string frame = shim::encode("/run", spec);
    std::string folder;
    const auto read = shim::decode(std::string_view(frame).substr(4), folder);
    REQUIRE(read);
    CHECK(folder == "/run");
    CHECK(read->argv == spec.argv);
    CHECK(read->environment == spec.environment);
    CHECK(read->max_output_bytes == spec.max_output_bytes);
    for (std::size_t size = 0; size + 4 < frame.size(); ++size) {
        CHECK_FALSE(shim::decode(std::string_view(frame).substr(4, size), folder));
    }
    shim::Exit exit;
    exit.code = 7;
    exit.reason = shim::StopReason::silence;
    CHECK(shim::decode_exit(shim::encode(exit)).code == 7);
    CHECK(shim::decode_exit(shim::encode(exit)).reason == shim::StopReason::silence);
    CHECK(shim::decode_exit("code\n\nnonsense 3\nsignal 9").signal == 9);
}

}  // namespace paperclip::test
