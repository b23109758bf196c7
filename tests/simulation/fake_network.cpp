#include "tests/simulation/fake_network.hpp"

#include <paperclip/draft/agent.h>

namespace paperclip::simulation {

using std::chrono::milliseconds;
using std::chrono::seconds;

http::Request make_request(std::string_view method, std::string_view target,
                           std::vector<std::pair<std::string, std::string>> headers,
                           std::string body) {
    http::Request request;
    request.method = http::parse_method(method);
    const auto query = target.find('?');
    request.path = http::percent_decode(target.substr(0, query), false);
    if (query != std::string_view::npos)
        request.query = http::parse_query(target.substr(query + 1));
    request.headers = std::move(headers);
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    request.body = std::move(body);
    request.peer.address = "192.0.2.1";
    return request;
}

void FakeNetwork::serve(Executor* executor, Server server) {
    executor_ = executor;
    server_ = std::move(server);
}

std::shared_ptr<void> FakeNetwork::send(pluginhost::HttpRequest request,
                                        pluginhost::HttpEvents events) {
    if (!power_.use()) return std::make_shared<int>();
    const auto host_end = request.url.find('/', request.url.find("://") + 3);
    auto exchange = std::make_shared<Exchange>();
    exchange->request = make_request(request.method, request.url.substr(host_end),
                                     std::move(request.headers), std::move(request.body));
    exchange->events = std::move(events);
    const http::Request& sent = exchange->request;
    const bool once = sent.method == http::Method::post && !sent.path.ends_with("/checkout");
    if (once) {
        ++sent_[std::string(sent.header("X-Paperclip-Run-Id")) + " " + sent.path + " " + sent.body];
    }
    const std::weak_ptr<Exchange> weak = exchange;
    if (dice_.chance(loss_chance)) {
        fail(weak, PC_HTTP_TIMEOUT, request.timeout);
        return exchange;
    }
    const int copies = dice_.chance(duplicate_chance) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
        outside_.at(clock_.now() + dice_.between(milliseconds(1), seconds(5)),
                    [this, weak, request = exchange->request] { arrive(weak, request); });
    }
    return exchange;
}

/// A request that was given up still arrives.
void FakeNetwork::arrive(const std::weak_ptr<Exchange>& exchange, const http::Request& request) {
    if (executor_ == nullptr) return fail(exchange, PC_HTTP_FAILED, seconds(0));
    executor_->post([this, exchange, request] {
        if (!power_.on()) return;
        const http::Response response = server_(request);
        ++served_;
        if (!power_.on()) return;
        if (dice_.chance(loss_chance)) return fail(exchange, PC_HTTP_TIMEOUT, seconds(60));
        outside_.at(clock_.now() + dice_.between(milliseconds(1), seconds(2)),
                    [this, exchange, response] { answer(exchange, response); });
    });
}

void FakeNetwork::answer(const std::weak_ptr<Exchange>& exchange, const http::Response& response) {
    const auto there = exchange.lock();
    if (!there || !there->events.end) return;
    const auto events = std::exchange(there->events, {});  // a second answer is nobody's
    events.head(response.status, "");
    events.body(response.body);
    events.end(PC_HTTP_OK, "");
}

void FakeNetwork::fail(const std::weak_ptr<Exchange>& exchange, int code, Duration after) {
    outside_.at(clock_.now() + after, [exchange, code] {
        const auto there = exchange.lock();
        if (!there || !there->events.end) return;
        std::exchange(there->events, {}).end(code, "simulated: no answer");
    });
}

}  // namespace paperclip::simulation
