#include "engine/http/message.hpp"

#include "engine/base/error.hpp"
#include "engine/base/utf8.hpp"

#include <algorithm>
#include <array>

namespace paperclip::http {
namespace {

constexpr std::array<std::pair<Method, std::string_view>, 7> k_methods{
    {{Method::get, "GET"},
     {Method::head, "HEAD"},
     {Method::post, "POST"},
     {Method::put, "PUT"},
     {Method::patch, "PATCH"},
     {Method::delete_, "DELETE"},
     {Method::options, "OPTIONS"}}};

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

Method parse_method(std::string_view text) noexcept {
    for (const auto& [method, name] : k_methods) {
        if (name == text) return method;
    }
    return Method::other;
}

bool changes_something(Method method) noexcept {
    return method != Method::get && method != Method::head && method != Method::options;
}

bool same_name(std::string_view a, std::string_view b) noexcept {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view method_name(Method method) noexcept {
    for (const auto& [known, name] : k_methods) {
        if (known == method) return name;
    }
    return "OTHER";
}

std::string_view Request::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers) {
        if (same_name(key, name)) return value;
    }
    return {};
}

std::optional<std::string_view> Request::query_value(std::string_view name) const noexcept {
    for (const auto& [key, value] : query) {
        if (key == name) return value;
    }
    return std::nullopt;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                throw Error(ErrorKind::invalid, "Broken percent escape in the URL", "invalid_url");
            }
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    if (out.find('\0') != std::string::npos || find_invalid_utf8(out) != std::string::npos) {
        throw Error(ErrorKind::invalid, "The URL is not UTF-8 text", "invalid_url");
    }
    return out;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> list;
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const auto pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        list.emplace_back(percent_decode(pair.substr(0, equals), true),
                          percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
    }
    return list;
}

void read_target(std::string_view target, Request& request) {
    const auto question = std::min(target.find('?'), target.size());
    request.path = percent_decode(target.substr(0, question), false);
    request.query = parse_query(target.substr(std::min(question + 1, target.size())));
}

}  // namespace paperclip::http
