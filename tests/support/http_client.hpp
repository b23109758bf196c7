#pragma once

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <cstdint>
#include <istream>
#include <string>

namespace paperclip::test {

/// One connection to an engine on loopback, kept open between requests. For one thread.
class HttpClient {
 public:
    explicit HttpClient(std::uint16_t port) : session_("127.0.0.1", port) {
        session_.setKeepAlive(true);
        session_.setTimeout(Poco::Timespan(60, 0));
    }

    struct Answer {
        int status = 0;  ///< 0: no answer came
        std::string body;
    };
    Answer send(const std::string& method, const std::string& path, const std::string& body = "",
                const std::string& token = "") {
        namespace net = Poco::Net;
        try {
            net::HTTPRequest request(method, "/api" + path, net::HTTPRequest::HTTP_1_1);
            if (!token.empty()) request.set("Authorization", "Bearer " + token);
            request.setContentType("application/json");
            request.setContentLength(static_cast<std::streamsize>(body.size()));
            session_.sendRequest(request) << body;
            net::HTTPResponse response;
            Answer answer;
            Poco::StreamCopier::copyToString(session_.receiveResponse(response), answer.body);
            answer.status = response.getStatus();
            return answer;
        } catch (const Poco::Exception&) {
            session_.reset();
            return {};
        }
    }
    Answer get(const std::string& path) { return send("GET", path); }
    Answer post(const std::string& path, const std::string& body) {
        return send("POST", path, body);
    }

 private:
    Poco::Net::HTTPClientSession session_;
};

}  // namespace paperclip::test
