#include "engine/app/engine.hpp"

#include "engine/app/feed.hpp"
#include "engine/app/metrics.hpp"
#include "engine/app/opened_store.hpp"
#include "engine/app/running_engine.hpp"
#include "engine/app/services.hpp"
#include "engine/app/status_page.hpp"
#include "engine/app/system_routes.hpp"
#include "engine/http/front.hpp"
#include "engine/http/server.hpp"
#include "engine/live/live_events.hpp"
#include "engine/pluginhost/shim_children.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>

namespace paperclip::app {
namespace {

constexpr std::chrono::hours k_housekeeping{1};
/// Nobody notices so much; a run's records share one or two commits instead of taking four.
constexpr std::chrono::milliseconds k_journal_linger{5};

/// What children need of our environment. Everything else, credentials above all, reaches an agent
/// only when its configuration names it.
std::vector<std::string> base_environment() {
    constexpr std::array names{"PATH",   "HOME", "USER",   "LOGNAME", "LANG",
                               "LC_ALL", "TZ",   "TMPDIR", "SHELL",   "SSL_CERT_FILE"};
    std::vector<std::string> list;
    for (const char* name : names) {
        if (const char* value = std::getenv(name)) list.push_back(std::string(name) + "=" + value);
    }
    return list;
}

std::string local_url(std::uint16_t port) {
    return "http://127.0.0.1:" + std::to_string(port);
}

/// As who is on this machine reaches the port.
std::string url_of(const std::string& host, std::uint16_t port) {
    return host == "::1" ? "http://[::1]:" + std::to_string(port) : local_url(port);
}

pluginhost::AddressPolicy addresses(const EngineOptions& options, std::uint16_t port) {
    pluginhost::AddressPolicy policy(options.allowed_addresses);
    policy.allow("127.0.0.1:" + std::to_string(port));
    return policy;
}

std::vector<pluginhost::FoundPlugin> find_plugins(const EngineOptions& options,
                                                  std::vector<std::string>& problems) {
    std::vector<pluginhost::FoundPlugin> plugins;
    for (const auto& folder : options.single_plugins) {
        plugins.push_back(pluginhost::read_plugin(folder));
    }
    auto folders = options.plugin_folders;
    folders.push_back(options.installation.plugins);
    for (auto& found : pluginhost::find_plugins(folders, problems)) {
        const bool named = std::any_of(plugins.begin(), plugins.end(), [&](const auto& plugin) {
            return plugin.manifest.id == found.manifest.id;
        });
        if (!named) plugins.push_back(std::move(found));
    }
    return plugins;
}

/// So many that they do not all wait for the disk at once, and no more: each may be starting a
/// program, and together they would keep the cores from whoever waits for an answer.
std::size_t worker_threads() {
    return 3 * std::max<std::size_t>(2, std::thread::hardware_concurrency());
}

}  // namespace

std::string_view version() noexcept {
    return PAPERCLIP_VERSION;
}

/// Members are made in this order and go in the opposite one: who is called by others' threads
/// comes before them.
struct Engine::Impl {
    EngineOptions options;
    Redactor& redactor;
    SystemClock clock;
    Ids ids{clock};
    std::vector<std::string> problems;
    std::vector<pluginhost::FoundPlugin> plugins;
    OpenedStore opened;
    pluginhost::AdapterTypes adapters;
    http::Server server;
    WorkerPool workers;
    TimerQueue timers;
    pluginhost::ShimChildren children;
    std::unique_ptr<pluginhost::HttpClient> http_client;
    Services services;
    http::Streams streams;
    live::LiveEvents live;
    Metrics metrics;
    Feed feed;
    http::Router router;
    http::Front front;
    std::unique_ptr<TimerThread> timer_thread;
    std::string openapi;

    Impl(EngineOptions o, Redactor& r)
        : options(std::move(o)),
          redactor(r),
          plugins(find_plugins(options, problems)),
          opened(options.places, plugins),
          adapters(plugins, problems),
          server({.host = options.host, .port = options.port, .threads = options.http_threads},
                 [this](const http::Request& request) { return front.handle(request); }),
          workers("worker", worker_threads()),
          children(options.installation.shim),
          http_client(pluginhost::make_http_client(addresses(options, server.port()))),
          services(machine()),
          live(services.core, services.relay, streams, workers, timers),
          metrics(services, streams),
          feed(services, options.feed),
          router(services.gate),
          front(router, options.allowed_hosts) {
        for (const auto& problem : problems) log_warn("plugin", {{"problem", problem}});
        services.world.log_line = [this](const runs::Run& run, std::string_view line) {
            if (!live.has_subscribers(run.company_id)) return;
            live.send_transient(run.company_id, "heartbeat.run.log", clock.now(),
                                runs::log_event(run, line));
        };
        services.add_routes(router);
        live.add_routes(router);
        add_system_routes(router, services, openapi);
        router.observe = [this](const http::Route* route, int status, std::int64_t elapsed_us) {
            metrics.note_request(route, status, elapsed_us);
        };
        openapi = router.openapi(version());
        front.add_page("/", [](const http::Request&) { return status_page(); });
        front.add_page("/metrics", [this](const http::Request&) { return metrics.page(); });
    }

    Machine machine() {
        return {.store = opened.store(),
                .clock = clock,
                .ids = ids,
                .executor = workers,
                .timers = timers,
                .children = children,
                .http = *http_client,
                .adapters = adapters,
                .redactor = redactor,
                .places = options.places,
                .api_url = local_url(server.port()),
                .token_secret = access::RunTokens::load_secret(options.places.token_secret()),
                .base_environment = base_environment(),
                .run_options = {.max_live_runs = options.max_live_runs},
                .storage = &opened.library(),
                .journal_linger = k_journal_linger};
    }

    void keep_house() {
        timers.at(clock.now() + k_housekeeping, [this] { keep_house(); });
        workers.post([this] {
            const auto oldest = std::filesystem::file_time_type::clock::now() -
                                std::chrono::hours(24 * options.log_retention_days);
            const auto freed = runs::delete_old_logs(options.places.logs(), oldest);
            if (freed > 0) log_info("old run logs deleted", {{"bytes", freed}});
        });
    }
};

Engine::Engine(EngineOptions options, Redactor& redactor)
    : impl_(std::make_unique<Impl>(std::move(options), redactor)) {}

Engine::~Engine() = default;

void Engine::start() {
    try {
        impl_->services.start();
        impl_->timer_thread = std::make_unique<TimerThread>(
            impl_->timers, impl_->clock,
            [this](Duration late) { impl_->metrics.note_timer(late); });
        impl_->keep_house();
        impl_->server.start();
        announce_engine(impl_->options.places, url_of(impl_->options.host, port()));
    } catch (...) {
        stop(false);  // the workers are at runs already, and use what would go before them
        throw;
    }
}

void Engine::stop(bool drain) {
    withdraw_engine(impl_->options.places);
    impl_->services.scheduler.stop();
    impl_->streams.stop();
    if (!drain) impl_->server.stop();  // draining runs still call back
    impl_->services.stop(drain);
    impl_->server.stop();
    impl_->timer_thread.reset();
    impl_->workers.stop();
}

std::uint16_t Engine::port() const {
    return impl_->server.port();
}
Services& Engine::services() {
    return impl_->services;
}

}  // namespace paperclip::app
