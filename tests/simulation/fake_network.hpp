#pragma once

#include "engine/base/timer_queue.hpp"
#include "engine/http/router.hpp"
#include "engine/pluginhost/http_client.hpp"
#include "tests/simulation/dice.hpp"
#include "tests/simulation/power.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace paperclip::simulation {

/// A request to the engine's API without a socket. `peer` is a foreign machine: who calls is told
/// by the token alone.
http::Request make_request(std::string_view method, std::string_view target,
                           std::vector<std::pair<std::string, std::string>> headers,
                           std::string body);

/// The network between agents and the engine: requests arrive late, twice, or never, and so do
/// answers. They are served by the real router. For one thread.
class FakeNetwork final : public pluginhost::HttpClient {
 public:
    FakeNetwork(const Clock& clock, TimerQueue& outside, Power& power, Dice& dice)
        : clock_(clock), outside_(outside), power_(power), dice_(dice) {}

    using Server = std::function<http::Response(const http::Request&)>;
    /// Who serves requests, each as a task of `executor`; nobody while the engine is down.
    void serve(Executor* executor, Server server);
    double loss_chance = 0;       ///< of a request, and again of its answer
    double duplicate_chance = 0;  ///< of a request that arrives

    std::shared_ptr<void> send(pluginhost::HttpRequest request,
                               pluginhost::HttpEvents events) override;

    /// How often the engine sent a request that must not be sent twice: by run, address and body.
    [[nodiscard]] const std::map<std::string, int>& sent() const { return sent_; }
    [[nodiscard]] std::int64_t served() const { return served_; }

 private:
    struct Exchange {
        http::Request request;
        pluginhost::HttpEvents events;
    };
    void arrive(const std::weak_ptr<Exchange>& exchange, const http::Request& request);
    void answer(const std::weak_ptr<Exchange>& exchange, const http::Response& response);
    void fail(const std::weak_ptr<Exchange>& exchange, int code, Duration after);

    const Clock& clock_;
    TimerQueue& outside_;
    Power& power_;
    Dice& dice_;
    Executor* executor_ = nullptr;
    Server server_;
    std::map<std::string, int> sent_;
    std::int64_t served_ = 0;
};

}  // namespace paperclip::simulation
