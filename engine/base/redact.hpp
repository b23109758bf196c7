#pragma once

#include "engine/base/json.hpp"

#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace paperclip {

/// Removes secrets from text that is about to be kept or shown: the exact values that the engine
/// has resolved, and anything that has the form of a well-known credential. Every sink (log, run
/// log, event, error) passes its text through the engine's one Redactor. Thread-safe.
class Redactor {
 public:
    static constexpr std::string_view k_mask = "***REDACTED***";
    /// Values shorter than this are not looked for: they would mask ordinary words.
    static constexpr std::size_t k_min_secret = 6;

    /// From now on `value` is a secret.
    void add(std::string_view value);
    /// Takes one add() back: the value opens nothing any more.
    void remove(std::string_view value);

    /// Finds secrets also where `text` is JSON, or JSON in a string of JSON, however it escapes.
    [[nodiscard]] std::string scrub(std::string_view text) const;
    /// The same for the keys and strings of a document, which stays one.
    [[nodiscard]] Json scrub(const Json& json) const;

 private:
    void mask_secrets(std::string& text) const;  // with the mutex held

    mutable std::shared_mutex mutex_;
    std::map<std::string, std::size_t> secrets_;  // how often each was added
};

/// A secret that ends: known to the redactor as long as this lives.
class PassingSecret {
 public:
    PassingSecret(Redactor& redactor, std::string value)
        : redactor_(redactor), value_(std::move(value)) {
        redactor_.add(value_);
    }
    ~PassingSecret() { redactor_.remove(value_); }
    PassingSecret(const PassingSecret&) = delete;
    PassingSecret& operator=(const PassingSecret&) = delete;

    [[nodiscard]] const std::string& value() const { return value_; }

 private:
    Redactor& redactor_;
    std::string value_;
};

/// Does a configuration or environment key by that name usually hold a secret (…KEY, …TOKEN,
/// …SECRET, …PASSWORD, authorization, cookie)?
bool is_secret_name(std::string_view name) noexcept;

}  // namespace paperclip
