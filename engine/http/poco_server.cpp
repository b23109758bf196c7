#include "engine/base/error.hpp"
#include "engine/base/log.hpp"
#include "engine/http/router.hpp"
#include "engine/http/server.hpp"

#include <Poco/ErrorHandler.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/HTTPServerSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <fcntl.h>
#include <istream>
#include <sys/socket.h>
#include <unistd.h>

namespace paperclip::http {
namespace {

namespace net = Poco::Net;

std::uint64_t connection_number(int fd) {
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    ::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
    return cookie;
}

std::string read_body(net::HTTPServerRequest& request, std::size_t limit) {
    const auto too_large = [&] {
        return Error(ErrorKind::too_large,
                     "The body has more than " + std::to_string(limit) + " bytes");
    };
    if (request.hasContentLength() &&
        request.getContentLength64() > static_cast<Poco::Int64>(limit)) {
        throw too_large();
    }
    const bool has_body = request.getChunkedTransferEncoding() ||
                          (request.hasContentLength() && request.getContentLength64() > 0);
    std::string body;
    if (!has_body) return body;
    auto& stream = request.stream();
    char buffer[16 << 10];
    while (stream) {
        stream.read(buffer, sizeof buffer);
        body.append(buffer, static_cast<std::size_t>(stream.gcount()));
        if (body.size() > limit) throw too_large();
    }
    // A client that fell silent or went away: what came may look whole, but is not what was meant.
    const bool short_of_length =
        request.hasContentLength() &&
        static_cast<Poco::Int64>(body.size()) < request.getContentLength64();
    if (stream.bad() || short_of_length) {
        throw Error(ErrorKind::invalid, "The body ended before its length", "incomplete_body");
    }
    return body;
}

Request to_request(net::HTTPServerRequestImpl& in, std::size_t max_body) {
    Request request;
    request.method = parse_method(in.getMethod());
    read_target(in.getURI(), request);
    for (const auto& [name, value] : in) request.headers.emplace_back(name, value);
    request.peer.address = in.clientAddress().host().toString();
    request.peer.port = in.clientAddress().port();
    request.peer.local_port = in.serverAddress().port();
    request.peer.connection = connection_number(in.socket().impl()->sockfd());
    request.body = read_body(in, max_body);
    return request;
}

/// Takes the connection away from Poco: a duplicate of the descriptor is ours, Poco closes its own.
Detached detach(net::HTTPServerRequestImpl& in) {
    Detached detached;
    Poco::Buffer<char> unread(0);
    in.session().drainBuffer(unread);
    detached.unread.assign(unread.begin(), unread.size());
    net::StreamSocket socket = in.detachSocket();
    const int fd = socket.impl()->sockfd();
    const timeval none{};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
    detached.socket.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return detached;
}

void send(net::HTTPServerResponse& out, const Response& response) {
    out.setStatus(static_cast<net::HTTPResponse::HTTPStatus>(response.status));
    out.setReason(net::HTTPResponse::getReasonForStatus(out.getStatus()));
    out.setContentType(response.content_type);
    for (const auto& [name, value] : response.headers) out.set(name, value);
    out.sendBuffer(response.body.data(), response.body.size());
}

class RequestHandler final : public net::HTTPRequestHandler {
 public:
    RequestHandler(const Server::Handler& handler, std::size_t max_body, bool close)
        : handler_(handler), max_body_(max_body), close_(close) {}

    void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& out) override {
        auto& in = static_cast<net::HTTPServerRequestImpl&>(request);
        Response response;
        try {
            response = handler_(to_request(in, max_body_));
        } catch (const Error& error) {
            response = error_response(error);
            out.setKeepAlive(false);  // the rest of the body was not read
        }
        if (response.take_over) return response.take_over(detach(in));
        // Threads are nearly used up: whoever is idle must not keep one.
        if (close_) out.setKeepAlive(false);
        send(out, response);
    }

 private:
    const Server::Handler& handler_;
    std::size_t max_body_;
    bool close_;
};

class HandlerFactory final : public net::HTTPRequestHandlerFactory {
 public:
    HandlerFactory(Server::Handler handler, std::size_t max_body, Poco::ThreadPool& pool)
        : handler_(std::move(handler)), max_body_(max_body), pool_(pool) {}

    net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
        const bool crowded = pool_.used() > pool_.capacity() * 3 / 4;
        return new RequestHandler(handler_, max_body_, crowded);
    }

 private:
    Server::Handler handler_;
    std::size_t max_body_;
    Poco::ThreadPool& pool_;
};

/// Exceptions of connection threads end here; a client that goes away is nothing to tell.
class LogErrors final : public Poco::ErrorHandler {
 public:
    void exception(const Poco::Exception& e) override {
        const bool gone = dynamic_cast<const net::NetException*>(&e) != nullptr ||
                          dynamic_cast<const Poco::TimeoutException*>(&e) != nullptr ||
                          dynamic_cast<const Poco::IOException*>(&e) != nullptr;
        log(gone ? LogLevel::debug : LogLevel::error, "connection failed",
            {{"error", e.displayText()}});
    }
    void exception(const std::exception& e) override {
        log_error("connection failed", {{"error", e.what()}});
    }
    void exception() override { log_error("connection failed"); }
};

}  // namespace

struct Server::Impl {
    LogErrors errors;
    Poco::ErrorHandler* previous_errors;
    Poco::ThreadPool pool;
    net::ServerSocket socket;
    std::unique_ptr<net::HTTPServer> server;

    Impl(const ServerOptions& options, Handler handler)
        : previous_errors(Poco::ErrorHandler::set(&errors)), pool(2, options.threads, 60) {
        try {
            // Poco would let a second server share the port unless it is told not to.
            socket.bind(net::SocketAddress(options.host, options.port), true, false);
            socket.listen(4096);
        } catch (const Poco::Exception& e) {
            throw Error(ErrorKind::unavailable,
                        "cannot listen on " + options.host + ":" + std::to_string(options.port) +
                            " (" + e.displayText() + "); is another engine running there? " +
                            "Choose a port with --port",
                        "address_in_use");
        }
        auto* params = new net::HTTPServerParams;
        params->setMaxThreads(options.threads);
        params->setMaxQueued(1024);
        params->setKeepAlive(true);
        params->setKeepAliveTimeout(Poco::Timespan(2, 0));
        params->setMaxKeepAliveRequests(0);
        params->setTimeout(Poco::Timespan(10, 0));
        // A thread that begins to wait while the server stops sleeps this long
        // (TCPServerDispatcher).
        params->setThreadIdleTime(Poco::Timespan(1, 0));
        server = std::make_unique<net::HTTPServer>(
            new HandlerFactory(std::move(handler), options.max_body_bytes, pool), pool, socket,
            params);
    }
    ~Impl() { Poco::ErrorHandler::set(previous_errors); }
};

Server::Server(const ServerOptions& options, Handler handler)
    : impl_(std::make_unique<Impl>(options, std::move(handler))) {}

Server::~Server() {
    stop();
}

void Server::start() {
    impl_->server->start();
}

void Server::stop() {
    if (!impl_->server) return;
    impl_->server->stop();
    for (int i = 0; i < 50 && impl_->server->currentConnections() > 0; ++i) {
        Poco::Thread::sleep(20);  // an idle keep-alive connection ends by itself within two seconds
    }
    impl_->server->stopAll(true);
    impl_->pool.joinAll();
    impl_->server.reset();
}

std::uint16_t Server::port() const {
    return impl_->socket.address().port();
}

}  // namespace paperclip::http
