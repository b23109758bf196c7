#include "engine/http/front.hpp"

#include "engine/base/log.hpp"
#include "engine/http/streams.hpp"

#include <algorithm>

namespace paperclip::http {
namespace {

/// "[::1]:3100" and "localhost:3100" without the port.
std::string_view without_port(std::string_view host) {
    const auto name_end = host.starts_with('[') ? std::min(host.find(']'), host.size()) : 0;
    return host.substr(0, host.find(':', name_end));
}

bool is_loopback_name(std::string_view host) {
    return same_name(host, "localhost") || host == "127.0.0.1" || host == "[::1]";
}

}  // namespace

bool Front::is_allowed_host(std::string_view host) const {
    const auto name = without_port(host);
    return is_loopback_name(name) ||
           std::any_of(hosts_.begin(), hosts_.end(),
                       [&](const std::string& allowed) { return same_name(allowed, name); });
}

void Front::check(const Request& request) const {
    const auto hosts =
        std::count_if(request.headers.begin(), request.headers.end(),
                      [](const auto& header) { return same_name(header.first, "Host"); });
    if (hosts > 1) {
        throw Error(ErrorKind::invalid, "expected one Host header, found " + std::to_string(hosts));
    }
    // A page of another site that rebinds its name to our address still sends its own name.
    if (const auto host = request.header("Host"); !is_allowed_host(host)) {
        throw Error(ErrorKind::forbidden,
                    "Host \"" + std::string(host) + "\" is not allowed; start the engine with " +
                        "--allow-host NAME to serve under that name",
                    "host_not_allowed");
    }
    // A page of another site may send requests here, but cannot hide where it comes from.
    const auto origin = request.header("Origin");
    if (origin.empty() || !(changes_something(request.method) || Streams::is_upgrade(request)))
        return;
    const auto scheme = origin.find("://");
    if (scheme == std::string_view::npos || !is_allowed_host(origin.substr(scheme + 3))) {
        throw Error(ErrorKind::forbidden, "Requests from that origin are not allowed",
                    "origin_not_allowed");
    }
}

Response Front::handle(const Request& request) noexcept {
    try {
        check(request);
        if (request.path == "/api" || request.path.starts_with("/api/")) {
            Response response = router_.handle(request);
            response.headers.emplace_back("Cache-Control", "no-store");
            return response;
        }
        auto page = pages_.find(request.path);
        if (page == pages_.end()) page = pages_.find("/");
        if (page == pages_.end()) throw Error(ErrorKind::not_found, "Not found");
        return page->second(request);
    } catch (const Error& error) {
        return error_response(error);
    } catch (const std::exception& error) {
        log_error("page failed", {{"path", request.path}, {"error", error.what()}});
        return error_response(Error(ErrorKind::internal, "Internal server error"));
    }
}

}  // namespace paperclip::http
