#include "engine/cli/client.hpp"

#include "engine/base/error.hpp"
#include "engine/base/json.hpp"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <cstdlib>

#include <boost/json.hpp>

namespace paperclip::cli {
namespace {

namespace net = Poco::Net;

ErrorKind kind_of(int status) {
    switch (status) {
        case 400:
            return ErrorKind::invalid;
        case 401:
            return ErrorKind::unauthenticated;
        case 403:
            return ErrorKind::forbidden;
        case 404:
            return ErrorKind::not_found;
        case 409:
            return ErrorKind::conflict;
        case 422:
            return ErrorKind::unprocessable;
        case 503:
            return ErrorKind::unavailable;
        default:
            return ErrorKind::internal;
    }
}

std::string key_of_environment() {
    const char* key = std::getenv("PAPERCLIP_API_KEY");
    return key != nullptr ? key : "";
}

/// What is wrong with a body, a line each.
std::string problems_in(const boost::json::array& details) {
    std::string out;
    for (const auto& detail : details) {
        const auto& problem = detail.as_object();
        out += "\n  ";
        std::string path;
        for (const auto& step : problem.at("path").as_array()) {
            if (!path.empty()) path += '.';
            path += step.is_string() ? std::string(std::string_view(step.get_string()))
                                     : boost::json::serialize(step);
        }
        if (!path.empty()) out += path + ": ";
        out += std::string_view(problem.at("message").as_string());
    }
    return out;
}

Error refusal(int status, const std::string& text) {
    std::string message = "the engine answered " + std::to_string(status);
    std::string code;
    try {
        const auto parsed = parse_json(text);
        const auto& answer = parsed.as_object();
        if (const auto* error = answer.if_contains("error")) message = error->as_string().c_str();
        if (const auto* word = answer.if_contains("code")) code = word->as_string().c_str();
        const auto* details = answer.if_contains("details");
        if (details != nullptr && details->is_array()) message += problems_in(details->get_array());
    } catch (const std::exception&) {
        // Not the API's form: the status must do.
    }
    return Error(kind_of(status), message, code);
}

}  // namespace

Client::Client(std::string api_url) : Client(std::move(api_url), key_of_environment()) {}

Client::Client(std::string api_url, std::string key)
    : api_url_(std::move(api_url)), key_(std::move(key)) {
    while (api_url_.ends_with('/')) api_url_.pop_back();
    if (api_url_.ends_with("/api")) api_url_.resize(api_url_.size() - 4);
}

std::string Client::exchange(const std::string& method, const std::string& path,
                             const std::string& body) {
    try {
        const Poco::URI uri(api_url_ + "/api" + path);
        if (uri.getScheme() != "http") {
            throw Error(ErrorKind::invalid, api_url_ + ": expected an address http://HOST:PORT");
        }
        net::HTTPClientSession session(uri.getHost(), uri.getPort());
        session.setTimeout(Poco::Timespan(120, 0));
        net::HTTPRequest request(method, uri.getPathAndQuery(), net::HTTPRequest::HTTP_1_1);
        if (!key_.empty()) request.set("Authorization", "Bearer " + key_);
        if (!body.empty()) {
            request.setContentType("application/json");
            request.setContentLength(static_cast<std::streamsize>(body.size()));
        }
        session.sendRequest(request) << body;
        net::HTTPResponse response;
        std::string text;
        Poco::StreamCopier::copyToString(session.receiveResponse(response), text);
        if (response.getStatus() >= 400) throw refusal(response.getStatus(), text);
        return text;
    } catch (const Poco::Exception& e) {
        throw Error(ErrorKind::unavailable,
                    "no engine answers at " + api_url_ + " (" + e.displayText() +
                        "); start one with `paperclipai run`, or name it with --api-url",
                    "engine_unreachable");
    }
}

boost::json::value Client::send(const std::string& method, const std::string& path,
                                const std::string& body) {
    return parse_json(exchange(method, path, body));
}

boost::json::value Client::post(const std::string& path, const boost::json::value& body) {
    return send("POST", path, boost::json::serialize(body));
}

boost::json::value Client::patch(const std::string& path, const boost::json::value& body) {
    return send("PATCH", path, boost::json::serialize(body));
}

std::string Client::get_text(const std::string& path) {
    return exchange("GET", path, "");
}

}  // namespace paperclip::cli
