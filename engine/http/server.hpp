#pragma once

#include "engine/http/message.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace paperclip::http {

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 3100;  ///< 0: any free one
    int threads = 128;          ///< connections served at once; one thread each
    std::size_t max_body_bytes = 10 << 20;
};

/// The REST server, on Poco. Each connection has a thread while it is being served, so a handler
/// may wait for the store but never for people: what lives long leaves by Response::take_over.
class Server {
 public:
    using Handler = std::function<Response(const Request&)>;

    /// Binds at once. Throws Error{unavailable} when the address is taken. `handler` must not
    /// throw.
    Server(const ServerOptions& options, Handler handler);
    ~Server();

    void start();
    /// Stops listening, lets running requests finish for a few seconds, closes the rest.
    void stop();
    [[nodiscard]] std::uint16_t port() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace paperclip::http
