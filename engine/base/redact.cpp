#include "engine/base/redact.hpp"

#include "engine/base/utf8.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <boost/json.hpp>

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

/// `value` and each of its lines, because output is scrubbed line by line.
std::vector<std::string> forms_of(std::string_view value) {
    std::vector<std::string> forms;
    const auto look_for = [&](std::string_view text) {
        if (text.size() >= Redactor::k_min_secret) forms.emplace_back(text);
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

/// The four hexadecimal digits at the front of `text`, or nothing.
std::optional<std::uint32_t> hex4(std::string_view text) {
    std::uint32_t unit = 0;
    if (text.size() < 4) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 4, unit, 16);
    if (error != std::errc() || end != text.data() + 4) return std::nullopt;
    return unit;
}

struct Character {
    std::string bytes;
    std::size_t length;  // of what stands for it
};

/// The character that the `\uXXXX` at the front of `text`, or the pair of them, stands for.
std::optional<Character> unicode_escape(std::string_view text) {
    auto code = hex4(text.substr(2));
    if (!code) return std::nullopt;
    std::size_t length = 6;
    if (*code >= 0xD800 && *code < 0xDC00 && text.substr(6, 2) == "\\u") {
        const auto low = hex4(text.substr(8));
        if (!low || *low < 0xDC00 || *low >= 0xE000) return std::nullopt;
        *code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
        length = 12;
    }
    if (*code >= 0xD800 && *code < 0xE000) return std::nullopt;
    Character character{{}, length};
    append_utf8(character.bytes, *code);
    return character;
}

/// What the JSON escape at the front of `text` stands for (RFC 8259 section 7), or nothing.
std::optional<Character> json_escape(std::string_view text) {
    if (text.size() < 2 || text[0] != '\\') return std::nullopt;
    if (text[1] == 'u') return unicode_escape(text);
    constexpr std::string_view k_names = "\"\\/bfnrt";
    constexpr std::string_view k_values = "\"\\/\b\f\n\r\t";
    const auto at = k_names.find(text[1]);
    if (at == std::string_view::npos) return std::nullopt;
    return Character{std::string(1, k_values[at]), 2};
}

/// A text without its escapes, and where in the original each of its bytes began.
struct Plain {
    std::string text;
    std::vector<std::size_t> at;  // one more than bytes: the last is the end

    explicit Plain(std::string_view original) : text(original), at(original.size() + 1) {
        std::iota(at.begin(), at.end(), std::size_t{0});
    }
    [[nodiscard]] bool has_escapes() const { return text.find('\\') != std::string::npos; }

    void unescape() {
        std::string bytes;
        std::vector<std::size_t> begins;
        for (std::size_t i = 0; i < text.size();) {
            const auto escape = json_escape(std::string_view(text).substr(i));
            const auto plain =
                escape ? std::string_view(escape->bytes) : std::string_view(text).substr(i, 1);
            bytes += plain;
            begins.insert(begins.end(), plain.size(), at[i]);
            i += escape ? escape->length : 1;
        }
        begins.push_back(at.back());
        text = std::move(bytes);
        at = std::move(begins);
    }
};

using Range = std::pair<std::size_t, std::size_t>;

/// Replaces what the ranges cover; where they overlap, once.
void mask(std::string& text, std::vector<Range> ranges) {
    std::sort(ranges.begin(), ranges.end());
    std::string out;
    std::size_t done = 0;
    for (const auto& [begin, end] : ranges) {
        if (begin >= done) {
            out += std::string_view(text).substr(done, begin - done);
            out += Redactor::k_mask;
        }
        done = std::max(done, end);
    }
    out += std::string_view(text).substr(done);
    text = std::move(out);
}

boost::json::value scrub_value(const Redactor& redactor, const boost::json::value& value) {
    if (value.is_string()) return boost::json::value(redactor.scrub(value.get_string()));
    if (value.is_array()) {
        boost::json::array out;
        for (const auto& entry : value.get_array()) out.push_back(scrub_value(redactor, entry));
        return out;
    }
    if (!value.is_object()) return value;
    boost::json::object out;
    for (const auto& [key, entry] : value.get_object()) {
        out[redactor.scrub(key)] = scrub_value(redactor, entry);
    }
    return out;
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
        if (!secrets_.empty()) mask_secrets(out);
    }
    mask_credentials(out);
    return out;
}

void Redactor::mask_secrets(std::string& text) const {
    std::vector<Range> found;
    Plain plain(text);
    for (int depth = 0;; ++depth) {
        for (const auto& [secret, times] : secrets_) {
            for (std::size_t i = 0; (i = plain.text.find(secret, i)) != std::string::npos;) {
                const std::size_t end = i + secret.size();
                found.emplace_back(plain.at[i], plain.at[end]);
                i = end;
            }
        }
        if (depth == k_json_depth || !plain.has_escapes()) break;
        plain.unescape();
    }
    if (!found.empty()) mask(text, std::move(found));
}

Json Redactor::scrub(const Json& json) const {
    if (scrub(std::string_view(json.text)) == json.text) return json;
    return Json::from(scrub_value(*this, json.parse()));
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
