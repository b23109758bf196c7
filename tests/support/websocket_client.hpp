#pragma once

#include "engine/http/streams.hpp"

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <cstdint>
#include <string>
#include <unistd.h>

namespace paperclip::test {

/// The client's end of a WebSocket connection whose other end a test hands to http::Streams. For
/// one thread.
class WebSocketClient {
 public:
    WebSocketClient() : listener_(Poco::Net::SocketAddress("127.0.0.1", 0)) {
        client_.setReceiveBufferSize(4096);  // so that a client that does not read is soon full
        client_.connect(listener_.address());
        server_ = listener_.acceptConnection();
        client_.setReceiveTimeout(Poco::Timespan(60, 0));
    }

    /// Makes `request` one that asks for a WebSocket.
    static void add_headers(http::Request& request) {
        for (const auto& [name, value] : {std::pair("Connection", "Upgrade"),
                                          {"Upgrade", "websocket"},
                                          {"Sec-WebSocket-Version", "13"},
                                          {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}}) {
            request.headers.emplace_back(name, value);
        }
    }
    /// The server's end; once.
    http::Detached server_end() {
        http::Detached end;
        end.socket.reset(::dup(server_.impl()->sockfd()));
        server_.close();
        return end;
    }

    /// The head of the answer to the handshake.
    std::string read_head() {
        std::string head;
        while (!head.ends_with("\r\n\r\n")) head += take(1);
        return head;
    }
    /// Waits for what the server does next: does it close the connection without a word?
    bool is_closed() {
        char byte = 0;
        return client_.receiveBytes(&byte, 1) == 0;
    }
    struct Frame {
        int opcode = 0;  ///< 1: text, 8: close, 9: ping
        std::string payload;

        /// Of a close frame.
        [[nodiscard]] int code() const {
            return static_cast<unsigned char>(payload.at(0)) << 8 |
                   static_cast<unsigned char>(payload.at(1));
        }
    };
    Frame read() {
        Frame frame;
        for (bool last = false; !last;) {
            const std::string head = take(2);
            last = (head[0] & 0x80) != 0;
            if ((head[0] & 0x0f) != 0) frame.opcode = head[0] & 0x0f;
            std::uint64_t size = static_cast<unsigned char>(head[1]) & 0x7f;
            if (size >= 126) {
                const std::string bytes = take(size == 126 ? 2 : 8);
                size = 0;
                for (const char byte : bytes) size = size << 8 | static_cast<unsigned char>(byte);
            }
            frame.payload += take(size);
        }
        return frame;
    }

 private:
    std::string take(std::uint64_t size) {
        std::string bytes(size, '\0');
        for (std::uint64_t at = 0; at < size;) {
            const int n = client_.receiveBytes(bytes.data() + at, static_cast<int>(size - at));
            if (n <= 0) throw std::runtime_error("the connection ended");
            at += static_cast<std::uint64_t>(n);
        }
        return bytes;
    }

    Poco::Net::ServerSocket listener_;
    Poco::Net::StreamSocket client_{Poco::Net::SocketAddress::IPv4};
    Poco::Net::StreamSocket server_;
};

}  // namespace paperclip::test
