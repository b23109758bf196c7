#include "engine/app/services.hpp"
#include "engine/cli/command_line.hpp"
#include "engine/declaration/folder.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <memory>
#include <unistd.h>

namespace paperclip::cli {
namespace {

struct RunOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 3100;
    std::vector<std::string> companies;
    std::vector<std::string> allowed_hosts;
    std::vector<std::string> allowed_addresses;
    std::size_t max_live_runs = 64;
    int log_retention_days = 30;
    bool drain = false;
    bool quiet = false;
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::text;
};

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    return set;
}

app::EngineOptions engine_options(const Common& common, const RunOptions& options) {
    app::EngineOptions out;
    out.places = common.places();
    out.installation = app::Installation::of_this_program();
    out.plugin_folders = common.plugin_folders;
    out.host = options.host;
    out.port = options.port;
    out.allowed_hosts = options.allowed_hosts;
    out.allowed_addresses = options.allowed_addresses;
    out.max_live_runs = options.max_live_runs;
    out.log_retention_days = options.log_retention_days;
    out.feed = !options.quiet;
    return out;
}

void check_host(const std::string& host) {
    if (host == "127.0.0.1" || host == "::1" || host == "localhost") return;
    throw Error(ErrorKind::invalid, "--host " + host +
                                        ": only loopback (127.0.0.1 or ::1) is served; whoever "
                                        "reaches the port without a key is trusted as the board");
}

/// Before anybody wakes, so that nothing starts by what the files no longer say.
void apply_companies(app::Services& services, const std::vector<std::string>& folders) {
    for (const auto& folder : folders) {
        const auto result =
            services.declarations.apply(Actor::local_board(), declaration::read_folder(folder));
        if (result.changed) std::printf("%s", to_text(result.plan).c_str());
    }
}

/// What the allocator gives back to the kernel it asks for again with the next request, and each
/// time all threads wait for it; and 128 threads with an arena each would keep a lot.
void configure_allocator() {
    constexpr int k_kept_bytes = 1 << 20;
    ::mallopt(M_ARENA_MAX, 4);
    ::mallopt(M_TRIM_THRESHOLD, k_kept_bytes);
    ::mallopt(M_TOP_PAD, k_kept_bytes / 4);
    ::mallopt(M_MMAP_THRESHOLD, k_kept_bytes);
}

void run_engine(const Common& common, const RunOptions& options) {
    check_host(options.host);
    configure_allocator();
    ::signal(SIGPIPE, SIG_IGN);
    // Every thread that is started from here on leaves these signals to sigwait() below.
    const sigset_t signals = stop_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    static Redactor redactor;  // until the last line of the log
    configure_log(options.log_format, options.log_level, redactor);
    app::Engine engine(engine_options(common, options), redactor);
    apply_companies(engine.services(), options.companies);
    engine.start();
    std::printf("Paperclip %s on http://%s:%u\n", std::string(app::version()).c_str(),
                options.host == "::1" ? "[::1]" : "127.0.0.1", unsigned{engine.port()});
    std::fflush(stdout);

    int signal = 0;
    sigwait(&signals, &signal);
    log_info("stopping", {{"signal", signal}});
    ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    ::signal(SIGINT, SIG_DFL);  // a second one ends us at once
    engine.stop(options.drain);
}

}  // namespace

void add_run(CLI::App& app, Common& common, const Finish&) {
    auto options = std::make_shared<RunOptions>();
    auto* command = app.add_subcommand("run", "Run the engine until it is told to stop");
    command->add_option("--port", options->port, "TCP port; 0 takes any free one")
        ->envname("PORT")
        ->capture_default_str();
    command->add_option("--host", options->host, "Address to listen on")
        ->envname("HOST")
        ->capture_default_str();
    command->add_option("--company", options->companies,
                        "Folder of a declared company, applied at the start");
    command->add_option("--allow-host", options->allowed_hosts,
                        "A further name under which clients may call");
    command->add_option("--allow-address", options->allowed_addresses,
                        "HOST:PORT of a private address that agents' HTTP requests may reach");
    command->add_option("--max-live-runs", options->max_live_runs, "Runs at work at once")
        ->capture_default_str();
    command
        ->add_option("--log-retention-days", options->log_retention_days,
                     "How long logs of runs are kept")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command->add_flag("--drain", options->drain, "When stopped, wait for live runs");
    command->add_flag("--quiet", options->quiet, "Do not tell what happens");
    command->add_option("--log-level", options->log_level, "debug, info, warn, error or off")
        ->transform(
            CLI::CheckedTransformer(std::map<std::string, LogLevel>{{"debug", LogLevel::debug},
                                                                    {"info", LogLevel::info},
                                                                    {"warn", LogLevel::warn},
                                                                    {"error", LogLevel::error},
                                                                    {"off", LogLevel::off}}));
    command->add_option("--log-format", options->log_format, "text or json")
        ->transform(CLI::CheckedTransformer(std::map<std::string, LogFormat>{
            {"text", LogFormat::text}, {"json", LogFormat::json}}));
    command->callback([&common, options] { run_engine(common, *options); });
}

}  // namespace paperclip::cli
