#pragma once

#include "engine/app/services.hpp"
#include "engine/http/streams.hpp"

#include <memory>

namespace paperclip::app {

/// The engine's figures in Prometheus's text form. Thread-safe.
class Metrics {
 public:
    /// Listens to the relay, so it must be made before the relay starts.
    Metrics(Services& services, const http::Streams& streams);
    ~Metrics();

    /// `route`: null when none matched.
    void note_request(const http::Route* route, int status, std::int64_t elapsed_us);
    /// A timer began that long after it was due.
    void note_timer(Duration late);
    [[nodiscard]] http::Response page();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace paperclip::app
