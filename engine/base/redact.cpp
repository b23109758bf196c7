#include "engine/base/redact.hpp"

#include "engine/base/json.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <mutex>
#include <vector>

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

/// A program prints JSON, which a plugin quotes in JSON.
constexpr int k_json_depth = 2;

/// What `value` looks like in a text: itself, written as JSON, and each of its lines, because
/// output is scrubbed line by line.
std::vector<std::string> forms_of(std::string_view value) {
    std::vector<std::string> forms;
    const auto look_for = [&](std::string_view text) {
        if (text.size() < Redactor::k_min_secret) return;
        forms.emplace_back(text);
        for (int depth = 0; depth < k_json_depth; ++depth) {
            std::string escaped;
            append_json_string(escaped, forms.back());
            if (escaped.size() == forms.back().size() + 2) break;
            forms.push_back(escaped.substr(1, escaped.size() - 2));
        }
    };
    look_for(value);
    if (value.find('\n') == std::string_view::npos) return forms;
    for (std::string_view rest = value; !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n'));
        look_for(line);
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
    return forms;
}

}  // namespace

void Redactor::add(std::string_view value) {
    const std::lock_guard lock(mutex_);
    for (auto& form : forms_of(value)) ++secrets_[std::move(form)];
}

void Redactor::remove(std::string_view value) {
    const std::lock_guard lock(mutex_);
    for (const auto& form : forms_of(value)) {
        const auto known = secrets_.find(form);
        if (known != secrets_.end() && --known->second == 0) secrets_.erase(known);
    }
}

std::string Redactor::scrub(std::string_view text) const {
    std::string out(text);
    {
        const std::shared_lock lock(mutex_);
        for (const auto& [secret, times] : secrets_) replace_all(out, secret, k_mask);
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
