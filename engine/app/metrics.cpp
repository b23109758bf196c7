#include "engine/app/metrics.hpp"

#include "engine/app/engine.hpp"

#include <map>
#include <mutex>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <shared_mutex>

#include <boost/json.hpp>

namespace paperclip::app {
namespace {

const prometheus::Histogram::BucketBoundaries k_seconds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                        0.05,   0.1,   0.25,   1,     5};

template <class T>
prometheus::Family<T>& family(prometheus::Registry& registry, const char* name, const char* help);

template <>
prometheus::Family<prometheus::Counter>& family(prometheus::Registry& registry, const char* name,
                                                const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
template <>
prometheus::Family<prometheus::Gauge>& family(prometheus::Registry& registry, const char* name,
                                              const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

}  // namespace

struct Metrics::Impl {
    Services& services;
    const http::Streams& streams;
    prometheus::Registry registry;
    prometheus::Family<prometheus::Counter>& requests = family<prometheus::Counter>(
        registry, "paperclip_http_requests_total", "Answered API requests");
    prometheus::Histogram& latency = prometheus::BuildHistogram()
                                         .Name("paperclip_http_request_seconds")
                                         .Help("How long API requests took")
                                         .Register(registry)
                                         .Add({}, k_seconds);
    prometheus::Histogram& lateness = prometheus::BuildHistogram()
                                          .Name("paperclip_timer_lateness_seconds")
                                          .Help("How long after they were due timers began")
                                          .Register(registry)
                                          .Add({}, k_seconds);
    prometheus::Family<prometheus::Counter>& runs =
        family<prometheus::Counter>(registry, "paperclip_runs_total", "Runs that reached a status");
    prometheus::Counter& records =
        family<prometheus::Counter>(registry, "paperclip_journal_records_total",
                                    "Records of the journal since the start")
            .Add({});
    prometheus::Gauge& live =
        family<prometheus::Gauge>(registry, "paperclip_runs_live", "Runs that are at work now")
            .Add({});
    prometheus::Gauge& timers =
        family<prometheus::Gauge>(registry, "paperclip_timers", "Entries of the timer queue")
            .Add({});
    prometheus::Gauge& open_streams =
        family<prometheus::Gauge>(registry, "paperclip_streams", "Open WebSocket connections")
            .Add({});
    std::shared_mutex mutex;
    std::map<std::pair<const http::Route*, int>, prometheus::Counter*> by_route;

    Impl(Services& s, const http::Streams& open) : services(s), streams(open) {
        family<prometheus::Gauge>(registry, "paperclip_build_info", "1, with the version")
            .Add({{"version", std::string(version())}})
            .Set(1);
    }

    prometheus::Counter& counter_of(const http::Route* route, int status) {
        const auto key = std::pair(route, status);
        {
            const std::shared_lock lock(mutex);
            if (const auto found = by_route.find(key); found != by_route.end()) {
                return *found->second;
            }
        }
        const std::lock_guard lock(mutex);
        auto& counter = by_route[key];
        if (counter == nullptr) {
            const std::string path(route == nullptr ? "none" : route->spec.path);
            const std::string method(route == nullptr ? "" : http::method_name(route->spec.method));
            counter = &requests.Add(
                {{"method", method}, {"route", path}, {"status", std::to_string(status)}});
        }
        return *counter;
    }

    void note(const journal::Record& record) {
        records.Increment();
        if (record.type != "heartbeat.run.status" || !record.details) return;
        const auto payload = record.details->parse();
        if (const auto* status = payload.as_object().if_contains("status")) {
            runs.Add({{"status", std::string(status->as_string())}}).Increment();
        }
    }
};

Metrics::Metrics(Services& services, const http::Streams& streams)
    : impl_(std::make_unique<Impl>(services, streams)) {
    services.relay.add_listener([this](std::span<const journal::Record> records) {
        for (const auto& record : records) impl_->note(record);
    });
}

Metrics::~Metrics() = default;

void Metrics::note_request(const http::Route* route, int status, std::int64_t elapsed_us) {
    impl_->counter_of(route, status).Increment();
    impl_->latency.Observe(static_cast<double>(elapsed_us) / 1e6);
}

void Metrics::note_timer(Duration late) {
    impl_->lateness.Observe(std::chrono::duration<double>(late).count());
}

http::Response Metrics::page() {
    impl_->live.Set(static_cast<double>(impl_->services.run_engine.live_count()));
    impl_->timers.Set(static_cast<double>(impl_->services.machine.timers.size()));
    impl_->open_streams.Set(static_cast<double>(impl_->streams.count()));
    return http::Response::text(prometheus::TextSerializer().Serialize(impl_->registry.Collect()),
                                "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace paperclip::app
