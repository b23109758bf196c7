#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace paperclip::cli {

/// Talks to a running engine.
class Client {
 public:
    /// With the key of PAPERCLIP_API_KEY, if there is one.
    explicit Client(std::string api_url);
    /// With `key`; empty: without one.
    Client(std::string api_url, std::string key);

    /// The answer's JSON. Throws Error{unavailable} when no engine answers, and the engine's own
    /// error for a status of 400 and above.
    boost::json::value get(const std::string& path) { return send("GET", path, ""); }
    boost::json::value post(const std::string& path, const boost::json::value& body);
    boost::json::value patch(const std::string& path, const boost::json::value& body);
    /// The same without taking the answer apart.
    std::string get_text(const std::string& path);

 private:
    boost::json::value send(const std::string& method, const std::string& path,
                            const std::string& body);
    std::string exchange(const std::string& method, const std::string& path,
                         const std::string& body);

    std::string api_url_;
    std::string key_;
};

}  // namespace paperclip::cli
