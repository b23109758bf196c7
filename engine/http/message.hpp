#pragma once

#include "engine/base/files.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace paperclip::http {

enum class Method { get, head, post, put, patch, delete_, options, other };
Method parse_method(std::string_view text) noexcept;
std::string_view method_name(Method method) noexcept;
bool changes_something(Method method) noexcept;

/// Are the two the same header, or the same host? Upper and lower case do not count (RFC 9110
/// sections 4.2.3 and 5.1).
bool same_name(std::string_view a, std::string_view b) noexcept;

/// The other end of the connection a request came on.
struct Peer {
    std::string address;  ///< numeric
    std::uint16_t port = 0;
    std::uint16_t local_port = 0;
    std::uint64_t connection = 0;  ///< one number for each connection of the engine's life
    [[nodiscard]] bool is_loopback() const noexcept {
        return address == "::1" || address.starts_with("127.") ||
               address.starts_with("::ffff:127.");
    }
};

/// A request as the router sees it, whatever server took it.
struct Request {
    Method method = Method::get;
    std::string path;  ///< percent-decoded, without query
    std::vector<std::pair<std::string, std::string>> query;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    Peer peer;

    /// The first header of that name, case-insensitive, or empty.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
    [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const noexcept;
};

/// A connection that has left the HTTP server: the socket and what was read from it past the head.
struct Detached {
    UniqueFd socket;
    std::string unread;
};

struct Response {
    int status = 200;
    std::string content_type = "application/json; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    /// Set for streams: the server sends nothing and hands the connection over.
    std::function<void(Detached)> take_over;

    static Response json(std::string body, int status = 200) {
        return {.status = status, .body = std::move(body)};
    }
    static Response text(std::string body, std::string content_type = "text/plain; charset=utf-8",
                         int status = 200) {
        return {.status = status, .content_type = std::move(content_type), .body = std::move(body)};
    }
};

/// Splits "a=1&b=%20" with percent- and plus-decoding. Throws Error{invalid} for a broken escape or
/// a NUL.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view text);
/// Sets path and query from a request line's target, "/api/companies?limit=1". Throws as they do.
void read_target(std::string_view target, Request& request);
/// Decodes percent escapes. Throws Error{invalid} for a broken one, a NUL or bytes that are not
/// UTF-8.
std::string percent_decode(std::string_view text, bool plus_is_space);

}  // namespace paperclip::http
