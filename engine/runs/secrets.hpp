#pragma once

#include "engine/base/id.hpp"
#include "engine/base/redact.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace paperclip::runs {

/// The secrets that companies declare: of each company, by name, where the value comes from. That
/// is "env:NAME" or "file:/path"; empty stands for the environment variable
/// PAPERCLIP_SECRET_<NAME>.
using DeclaredSecrets = std::unordered_map<Id, std::map<std::string, std::string, std::less<>>>;

/// Finds the values of secrets by name, at the moment when the host executes an action: nobody else
/// ever holds one. A company has the secrets that its own declaration names, and no other's. Every
/// value found is known to the redactor from then on. Thread-safe.
class SecretSource {
 public:
    explicit SecretSource(Redactor& redactor) : redactor_(redactor) {}

    /// Replaces everything declared before.
    void declare(DeclaredSecrets declared);
    /// `text`, or the value of the company's secret that `{"$secret":"NAME"}` names. Throws
    /// Error{unprocessable} for a secret that the company does not declare or that has no value.
    [[nodiscard]] std::string resolve(const Id& company, const std::string& text) const;

 private:
    [[nodiscard]] std::string find(const Id& company, std::string_view name) const;

    Redactor& redactor_;
    mutable std::mutex mutex_;
    DeclaredSecrets declared_;
};

}  // namespace paperclip::runs
