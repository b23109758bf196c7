#pragma once

#include "engine/http/message.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace paperclip::http {

/// A WebSocket connection to a client that only listens: what it sends is read and dropped.
/// Thread-safe.
class Stream {
 public:
    virtual ~Stream() = default;
    /// Queues a text message. A client that does not keep up is closed with 1013 (try again later).
    virtual void send(std::shared_ptr<const std::string> message) = 0;
    /// Bytes that wait for the client.
    [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
};

/// WebSocket connections, on Boost.Beast with one thread of its own for all. Pings every 30 s and
/// drops who does not answer. Thread-safe.
class Streams {
 public:
    Streams();
    /// Closes what is open.
    ~Streams();

    struct Events {
        std::function<void(std::shared_ptr<Stream>)> opened;  ///< after the handshake
        std::function<void()> closed;                         ///< last, and only after opened
    };
    /// Takes a connection over whose request asked for an upgrade. The events come on the thread of
    /// the streams and must not wait.
    void accept(Detached connection, const Request& request, Events events);
    /// Does the request ask for a WebSocket?
    static bool is_upgrade(const Request& request);

    /// Closes all with 1012 (service restart), so that clients come back, and waits until they are
    /// closed, who does not answer after two seconds: no event is heard afterwards, and what comes
    /// is closed at once. Not on the thread of the streams.
    void stop();
    [[nodiscard]] std::size_t count() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace paperclip::http
