#include "tests/bench/raw_client.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace paperclip::bench {

RawClient::RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        ::close(socket_);
        throw std::runtime_error("cannot connect");
    }
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

RawClient::~RawClient() {
    ::close(socket_);
}

int RawClient::send(std::string_view method, std::string_view path, std::string_view body,
                    std::string_view token) {
    request_.clear();
    request_.append(method).append(" /api").append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    if (!token.empty()) request_.append("Authorization: Bearer ").append(token).append("\r\n");
    if (!body.empty()) request_.append("Content-Type: application/json\r\n");
    request_.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
    request_.append(body);
    for (std::size_t sent = 0; sent < request_.size();) {
        const ssize_t n =
            ::send(socket_, request_.data() + sent, request_.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) throw std::runtime_error("the connection ended");
        sent += static_cast<std::size_t>(n);
    }
    int status = 0;
    read_answer(status);
    return status;
}

void RawClient::read_answer(int& status) {
    char piece[64 << 10];
    std::size_t head = std::string::npos;
    std::size_t length = 0;
    for (;;) {
        if (head == std::string::npos) {
            head = buffer_.find("\r\n\r\n");
            if (head != std::string::npos) {
                std::from_chars(buffer_.data() + 9, buffer_.data() + 12, status);
                const auto at = buffer_.find("Content-Length: ");
                if (at < head) {
                    std::from_chars(buffer_.data() + at + 16, buffer_.data() + head, length);
                }
            }
        }
        if (head != std::string::npos && buffer_.size() >= head + 4 + length) break;
        const ssize_t n = ::recv(socket_, piece, sizeof piece, 0);
        if (n <= 0) throw std::runtime_error("the connection ended");
        buffer_.append(piece, static_cast<std::size_t>(n));
    }
    body_ = buffer_.substr(head + 4, length);
    buffer_.erase(0, head + 4 + length);
}

}  // namespace paperclip::bench
