#pragma once

#include "engine/base/redact.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace paperclip::runs {

/// Finds the values of secrets by name, at the moment when the host executes an action: nobody else
/// ever holds one. A name's value comes from the environment variable PAPERCLIP_SECRET_<NAME>, or
/// from a file named for it by the company's declaration. Every value found is known to the
/// redactor from then on. Thread-safe.
class SecretSource {
 public:
    explicit SecretSource(Redactor& redactor) : redactor_(redactor) {}

    /// `source`: "env:NAME" or "file:/path".
    void declare(std::string name, std::string source);
    /// Nothing when it has no value.
    [[nodiscard]] std::optional<std::string> find(std::string_view name) const;
    /// `text`, or the value of the secret that `{"$secret":"NAME"}` names. Throws
    /// Error{unprocessable} for a secret without a value.
    [[nodiscard]] std::string resolve(const std::string& text) const;

 private:
    Redactor& redactor_;
    mutable std::mutex mutex_;
    std::map<std::string, std::string, std::less<>> sources_;
};

}  // namespace paperclip::runs
