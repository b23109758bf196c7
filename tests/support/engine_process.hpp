#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace paperclip::test {

/// The real engine as a process of its own, on a data folder and a port that stay over restarts. It
/// dies with the test.
class EngineProcess {
 public:
    EngineProcess(std::filesystem::path program, std::filesystem::path data_folder);
    ~EngineProcess();
    EngineProcess(const EngineProcess&) = delete;
    EngineProcess& operator=(const EngineProcess&) = delete;

    /// `environment`: NAME=value each, beside our own.
    void start(const std::vector<std::string>& environment = {});
    /// Waits until it answers; false when it died first.
    bool wait_until_ready();
    [[nodiscard]] bool is_running();
    /// What it printed so far.
    [[nodiscard]] std::string log() const;
    /// `kill -9`; returns when the process is gone.
    void kill();
    /// Asks it to stop and waits; returns its exit status, or the signal that ended it as negative.
    int stop();

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] int pid() const { return pid_; }

 private:
    void reap();

    std::filesystem::path program_;
    std::filesystem::path data_folder_;
    std::uint16_t port_;
    int pid_ = -1;
    int status_ = 0;
};

/// A TCP port of loopback that nobody listens on.
std::uint16_t free_port();

}  // namespace paperclip::test
