#pragma once

#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

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

    [[nodiscard]] std::string scrub(std::string_view text) const;

 private:
    mutable std::shared_mutex mutex_;
    std::vector<std::string> secrets_;  // longest first, so that one inside another is no leak
};

/// Does a configuration or environment key by that name usually hold a secret (…KEY, …TOKEN,
/// …SECRET, …PASSWORD, authorization, cookie)?
bool is_secret_name(std::string_view name) noexcept;

}  // namespace paperclip
