#pragma once

#include "engine/base/clock.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace paperclip::pluginhost {

/// Which addresses agents' HTTP requests may reach. Public ones always; loopback, private,
/// link-local and other special ones only when an operator listed the host and port.
class AddressPolicy {
 public:
    /// `allowed`: "host:port" each.
    explicit AddressPolicy(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {}

    void allow(std::string host_and_port) { allowed_.push_back(std::move(host_and_port)); }
    [[nodiscard]] bool allows(std::string_view host, std::string_view port,
                              std::string_view address) const;
    /// Does the numeric address lead to a public host?
    static bool is_public(std::string_view address);

 private:
    std::vector<std::string> allowed_;
};

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    Duration timeout = std::chrono::seconds(60);
};

/// What comes of a request, in this order, on a thread of the client. Nothing comes after end.
struct HttpEvents {
    std::function<void(int status, std::string headers)> head;
    std::function<void(std::string_view bytes)> body;
    /// `code` is one of PC_HTTP_…; the message says why when it is not OK.
    std::function<void(int code, std::string message)> end;
};

/// Sends HTTP requests. Thread-safe.
class HttpClient {
 public:
    virtual ~HttpClient() = default;
    /// Returns at once. The request is given up when the returned handle is released before the
    /// end; no event comes after that has returned.
    virtual std::shared_ptr<void> send(HttpRequest request, HttpEvents events) = 0;
};

/// HttpClient over real sockets: HTTP/1.1, TLS with the system's certificates, the name resolved
/// once and the connection made to an address that the policy allows. Redirects are answers like
/// any other. Owns one I/O thread.
std::unique_ptr<HttpClient> make_http_client(AddressPolicy policy);

}  // namespace paperclip::pluginhost
