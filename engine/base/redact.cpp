#include "engine/base/redact.hpp"

#include "engine/base/json.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <mutex>

namespace paperclip {
namespace {

struct Credential {
    std::string_view prefix;
    std::size_t min_rest;  // token characters that must follow
};
/// Prefixes by which issuers mark their keys; "pcp_" is ours, "eyJ" starts every JWT.
constexpr std::array<Credential, 12> k_credentials{{{"pcp_board_", 16},
                                                    {"pcp_", 16},
                                                    {"eyJ", 24},
                                                    {"Bearer ", 12},
                                                    {"sk-", 16},
                                                    {"ghp_", 20},
                                                    {"gho_", 20},
                                                    {"ghs_", 20},
                                                    {"github_pat_", 20},
                                                    {"xoxb-", 16},
                                                    {"xoxp-", 16},
                                                    {"AKIA", 16}}};

constexpr bool is_token_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-' || c == '.' || c == '+' || c == '/' || c == '=';
}

std::size_t token_length(std::string_view text) {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_token_char) -
                                    text.begin());
}

/// The length of the credential at the front of `text`, or 0.
std::size_t credential_length(std::string_view text) {
    for (const auto& [prefix, min_rest] : k_credentials) {
        if (!text.starts_with(prefix)) continue;
        const std::size_t rest = token_length(text.substr(prefix.size()));
        if (rest >= min_rest) return prefix.size() + rest;
    }
    return 0;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
        text.replace(at, what.size(), with);
    }
}

void mask_credentials(std::string& text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (at > 0 && is_token_char(text[at - 1]) && text[at - 1] != '=' && text[at - 1] != '/') {
            continue;  // inside a longer word
        }
        const char c = text[at];
        if (c != 'p' && c != 'e' && c != 'B' && c != 's' && c != 'g' && c != 'x' && c != 'A') {
            continue;
        }
        if (const std::size_t n = credential_length(std::string_view(text).substr(at)); n > 0) {
            text.replace(at, n, Redactor::k_mask);
            at += Redactor::k_mask.size() - 1;
        }
    }
}

}  // namespace

void Redactor::add(std::string_view value) {
    // Output is scrubbed line by line, so each line of a key file is a secret of its own.
    if (const auto end = value.find('\n');
        end != std::string_view::npos && end + 1 < value.size()) {
        for (std::string_view rest = value; !rest.empty();) {
            const auto line = rest.substr(0, rest.find('\n'));
            add(line);
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        }
    }
    if (value.size() < k_min_secret) return;
    const std::lock_guard lock(mutex_);
    const auto insert = [&](std::string secret) {
        if (std::find(secrets_.begin(), secrets_.end(), secret) != secrets_.end()) return;
        const auto place =
            std::find_if(secrets_.begin(), secrets_.end(),
                         [&](const std::string& other) { return other.size() < secret.size(); });
        secrets_.insert(place, std::move(secret));
    };
    insert(std::string(value));
    std::string escaped;
    append_json_string(escaped, value);
    if (escaped.size() != value.size() + 2) insert(escaped.substr(1, escaped.size() - 2));
}

std::string Redactor::scrub(std::string_view text) const {
    std::string out(text);
    {
        const std::shared_lock lock(mutex_);
        for (const auto& secret : secrets_) replace_all(out, secret, k_mask);
    }
    mask_credentials(out);
    return out;
}

bool is_secret_name(std::string_view name) noexcept {
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    static constexpr std::array<std::string_view, 10> k_words{
        "api_key", "apikey",      "token",         "secret", "password",
        "passwd",  "private_key", "authorization", "cookie", "credential"};
    return lower.ends_with("_key") || std::any_of(k_words.begin(), k_words.end(), [&](auto word) {
               return lower.find(word) != std::string::npos;
           });
}

}  // namespace paperclip
