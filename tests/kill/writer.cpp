// Writes to an engine on loopback from several threads and notes what was acknowledged, in a
// process of its own: usage: kill_writer PORT ISSUE FILE THREADS; ends on SIGTERM.

#include "tests/support/http_client.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

/// Between two writes of a thread: enough for hundreds a second together, and room for the runs.
constexpr std::chrono::milliseconds k_pace{10};

std::atomic<bool> stopping{false};

/// The first "id" of an answer.
std::string id_of(const std::string& body) {
    const auto at = body.find("\"id\":\"");
    return at == std::string::npos ? "" : body.substr(at + 6, 36);
}

void write_comments(std::uint16_t port, const std::string& issue, int file) {
    paperclip::test::HttpClient client(port);
    for (int number = 0; !stopping; ++number) {
        const auto answer = client.post("/issues/" + issue + "/comments",
                                        R"({"body":"comment )" + std::to_string(number) + "\"}");
        if (answer.status != 201) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));  // the engine is away
            continue;
        }
        const std::string line = id_of(answer.body) + "\n";
        if (::write(file, line.data(), line.size()) < 0) std::abort();
        std::this_thread::sleep_for(k_pace);
    }
}

}  // namespace

int main(int, char** argv) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGTERM, [](int) { stopping = true; });
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    const int file = ::open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    std::vector<std::thread> threads;
    for (int i = 0; i < std::atoi(argv[4]); ++i) {
        threads.emplace_back(write_comments, port, std::string(argv[2]), file);
    }
    for (auto& thread : threads) thread.join();
    return 0;
}
