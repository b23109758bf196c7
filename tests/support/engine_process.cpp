#include "tests/support/engine_process.hpp"

#include "engine/base/files.hpp"
#include "tests/support/http_client.hpp"

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <random>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace paperclip::test {

std::uint16_t free_port() {
    // Below the range of clients' ports: one that calls a port of that range while no engine
    // listens there may be connected to itself, and then holds the port.
    std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
    int clients_from = 0;
    range >> clients_from;
    std::uniform_int_distribution<int> any(clients_from / 2, clients_from - 1);
    std::random_device random;
    for (int attempt = 0; attempt < 100; ++attempt) {
        const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const auto port = static_cast<std::uint16_t>(any(random));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
            return port;
        }
    }
    throw std::runtime_error("no free port");
}

EngineProcess::EngineProcess(std::filesystem::path program, std::filesystem::path data_folder)
    : program_(std::move(program)), data_folder_(std::move(data_folder)), port_(free_port()) {}

EngineProcess::~EngineProcess() {
    kill();
}

void EngineProcess::start(const std::vector<std::string>& environment) {
    const std::string port = std::to_string(port_);
    const std::string log = (data_folder_.parent_path() / "engine.log").string();
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    for (const auto& variable : environment) ::putenv(const_cast<char*>(variable.c_str()));
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execl(program_.c_str(), program_.c_str(), "run", "--quiet", "--log-level", "warn", "--port",
            port.c_str(), "--data-dir", data_folder_.c_str(), nullptr);
    ::_exit(127);
}

std::string EngineProcess::log() const {
    return read_file(data_folder_.parent_path() / "engine.log", 64 << 20);
}

void EngineProcess::reap() {
    if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = -1;
}

bool EngineProcess::is_running() {
    reap();
    return pid_ > 0;
}

bool EngineProcess::wait_until_ready() {
    HttpClient client(port_);
    while (is_running()) {
        if (client.get("/health").status == 200) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

void EngineProcess::kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
    pid_ = -1;
}

int EngineProcess::stop() {
    if (pid_ > 0) {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, &status_, 0);
        pid_ = -1;
    }
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
}

}  // namespace paperclip::test
