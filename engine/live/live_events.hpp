#pragma once

#include "engine/http/router.hpp"
#include "engine/http/streams.hpp"
#include "engine/journal/core.hpp"
#include "engine/journal/relay.hpp"

#include <map>
#include <mutex>
#include <set>

namespace paperclip::live {

/// What happens in a company, as it happens: the journal's records as frames on WebSockets. Form
/// and route are the reference's. Thread-safe; lives as long as the engine.
///
/// A client that comes with `?since=N` first gets what it missed, without gap or repetition. Where
/// that is no longer kept, it gets one frame `resync` and must read the state anew.
class LiveEvents {
 public:
    /// Listens to `relay`, so it must be made before the relay starts.
    LiveEvents(Core core, journal::Relay& relay, http::Streams& streams, Executor& executor,
               TimerQueue& timers);

    void add_routes(http::Router& router);

    /// Sends a frame that is not of the journal, and so comes once or never: output of a run.
    /// `payload` is a JSON object.
    void send_transient(const Id& company, std::string_view type, Time at,
                        const std::string& payload);
    /// Would send_transient reach anybody?
    [[nodiscard]] bool has_subscribers(const Id& company) const;

 private:
    class Subscriber;

    http::Response open(const http::Call& call);
    void publish(std::span<const journal::Record> records);
    [[nodiscard]] std::vector<std::shared_ptr<Subscriber>> subscribers_of(const Id& company) const;

    Core core_;
    http::Streams& streams_;
    Executor& executor_;
    TimerQueue& timers_;
    mutable std::mutex mutex_;
    std::map<Id, std::set<std::shared_ptr<Subscriber>>> subscribers_;  // by company
};

}  // namespace paperclip::live
