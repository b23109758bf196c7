#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace paperclip::bench {

/// A keep-alive connection that costs next to nothing beside the server: for measuring. One thread.
class RawClient {
 public:
    explicit RawClient(std::uint16_t port);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    /// Returns the status; the body stands in body() until the next call. Throws std::runtime_error
    /// when the connection ends.
    int send(std::string_view method, std::string_view path, std::string_view body = {},
             std::string_view token = {});
    [[nodiscard]] std::string_view body() const { return body_; }

 private:
    void read_answer(int& status);

    int socket_ = -1;
    std::string request_;
    std::string buffer_;
    std::string body_;
};

}  // namespace paperclip::bench
