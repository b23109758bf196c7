#pragma once

#include "engine/base/clock.hpp"
#include "engine/base/id.hpp"

#include <Poco/Crypto/OpenSSLInitializer.h>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace paperclip::access {

/// What a run's token says.
struct RunClaims {
    Id agent_id;
    Id company_id;
    Id run_id;
    std::string adapter_type;
    std::string responsible_user_id;
};

/// The short-lived tokens (JWT, HS256) that agents call back with: bound to one run and signed with
/// a key of the company's own, derived from the instance's secret. That a token verifies does not
/// mean that its run still lives: the Gate asks. Thread-safe.
class RunTokens {
 public:
    /// `secret`: at least 32 random bytes.
    RunTokens(const Clock& clock, std::string secret, std::string instance_id, Duration ttl);

    [[nodiscard]] std::string issue(const RunClaims& claims) const;
    [[nodiscard]] std::optional<RunClaims> verify(std::string_view token) const;

    /// Reads the secret from `file`, or makes one there (0600).
    static std::string load_secret(const std::filesystem::path& file);

 private:
    [[nodiscard]] std::string company_key(std::string_view company) const;

    /// Held as long as anybody signs: Poco takes the library's locks down with the last user and
    /// sets them up for the next, and two threads that sign at once meet in between.
    Poco::Crypto::OpenSSLInitializer openssl_;
    const Clock& clock_;
    std::string secret_;
    std::string instance_id_;
    Duration ttl_;
};

}  // namespace paperclip::access
