#pragma once

#include "engine/app/places.hpp"
#include "engine/base/log.hpp"
#include "engine/base/redact.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace paperclip::storage {
class Store;
}

namespace paperclip::app {

class Services;

struct EngineOptions {
    Places places;
    Installation installation;
    /// Folders of single plugins; they come before all others, and one that cannot be read is an
    /// error.
    std::vector<std::filesystem::path> single_plugins;
    /// Further folders of plugins; they come before the installed ones.
    std::vector<std::filesystem::path> plugin_folders;
    std::string host = "127.0.0.1";
    std::uint16_t port = 3100;  ///< 0: any free one
    /// Names, beside those of loopback, under which clients may call.
    std::vector<std::string> allowed_hosts;
    /// "host:port" of private addresses that agents' HTTP requests may reach.
    std::vector<std::string> allowed_addresses;
    std::size_t max_live_runs = 64;
    int http_threads = 128;
    int log_retention_days = 30;
    /// Tell on standard output what happens in the companies.
    bool feed = false;
};

/// A running engine: the store, the services, the threads and the port. One a data folder, one a
/// process. Its functions are called from one thread.
class Engine {
 public:
    /// Opens the store and binds the port. Throws Error that says what to do: another engine runs
    /// on the folder, the port is taken, the store is newer than this program.
    /// `redactor` learns every secret that the engine uses; it outlives the engine.
    Engine(EngineOptions options, Redactor& redactor);
    ~Engine();

    /// Goes on where the last engine stopped, and serves.
    void start();
    /// Ends within seconds. Live runs go on under their shims and are taken up by the next start;
    /// with `drain` they are awaited first.
    void stop(bool drain);

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] Services& services();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The version of this program.
std::string_view version() noexcept;

}  // namespace paperclip::app
