#include "engine/declaration/yaml_text.hpp"

#include "engine/base/utf8.hpp"

#include <algorithm>

#include <yaml-cpp/exceptions.h>

namespace paperclip::declaration {
namespace {

constexpr std::string_view k_byte_order_mark = "\xef\xbb\xbf";
constexpr std::size_t k_shown = 60;

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && (is_blank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

/// The value that stands in a line from `at` on: up to a comment, or to what ends it in a flow.
std::string_view value_at(std::string_view line, std::size_t at, bool in_flow) {
    std::string_view value = line.substr(at);
    if (const auto comment = value.find(" #"); comment != std::string_view::npos) {
        value = value.substr(0, comment);
    }
    if (in_flow) value = value.substr(0, value.find_first_of(",}]"));
    return trimmed(utf8_prefix(value, k_shown));
}

/// The key before the value at `at`, with its colon, or nothing.
std::string_view key_before(std::string_view line, std::size_t at) {
    std::string_view before = trimmed(line.substr(0, at));
    if (!before.ends_with(':')) return {};
    const auto start = before.find_last_of(" \t{[,-");
    return start == std::string_view::npos ? before : before.substr(start + 1);
}

}  // namespace

YamlText::YamlText(std::string_view text) : text_(text) {
    if (text_.starts_with(k_byte_order_mark)) text_.remove_prefix(k_byte_order_mark.size());
    lines_.push_back(0);
    for (std::size_t i = 0; i < text_.size(); ++i) {
        if (text_[i] == '\n') lines_.push_back(i + 1);
    }
}

Mark YamlText::place(std::size_t offset) const {
    offset = std::min(offset, text_.size());
    const auto after = std::upper_bound(lines_.begin(), lines_.end(), offset);
    const std::size_t begin = *std::prev(after);
    const auto line = static_cast<int>(after - lines_.begin());
    // Of a text that is not UTF-8 only the good part before the place is counted.
    const auto column = utf8_length(text_.substr(begin, offset - begin));
    return {line, static_cast<int>(column) + 1};
}

std::size_t YamlText::offset(const YAML::Mark& mark) const {
    return mark.pos < 0 ? 0 : std::min(static_cast<std::size_t>(mark.pos), text_.size());
}

bool YamlText::is_unterminated(std::size_t offset) const {
    if (offset < text_.size() && text_[offset] == '&') {
        offset = text_.find_first_of(" \t\n\r", offset);
        if (offset != std::string_view::npos) offset = text_.find_first_not_of(" \t\n\r", offset);
    }
    if (offset == std::string_view::npos || offset >= text_.size()) return false;
    const char quote = text_[offset];
    if (quote != '"' && quote != '\'') return false;
    for (std::size_t i = offset + 1; i < text_.size(); ++i) {
        if (quote == '"' && text_[i] == '\\') {
            ++i;
        } else if (text_[i] == quote) {
            const bool doubled = quote == '\'' && i + 1 < text_.size() && text_[i + 1] == quote;
            if (!doubled) return false;
            ++i;
        }
    }
    return true;
}

std::string_view YamlText::line_at(std::size_t offset) const {
    const std::size_t begin = *std::prev(std::upper_bound(lines_.begin(), lines_.end(), offset));
    return text_.substr(begin, text_.find('\n', begin) - begin);
}

YamlStop YamlText::explain_alias(std::size_t offset) const {
    const std::size_t star = std::min(text_.rfind('*', offset), offset);
    const std::string_view line = line_at(star);
    const auto in_line = static_cast<std::size_t>(text_.data() + star - line.data());
    const bool in_flow = line.substr(0, in_line).find_first_of("{[") != std::string_view::npos;
    const std::string value(value_at(line, in_line, in_flow));
    const bool is_name =
        value.size() > 1 && std::all_of(value.begin() + 1, value.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        });
    if (is_name) {
        return {place(star), "unknown_alias",
                "the alias " + value + " repeats an anchor &" + value.substr(1) +
                    " that does not stand before it"};
    }
    const std::string key(key_before(line, in_line));
    return {place(star), "unquoted",
            "a value that begins with * must be quoted: " + (key.empty() ? "" : key + " ") + "\"" +
                value + "\""};
}

YamlStop YamlText::explain(const YAML::Exception& error) const {
    const std::size_t at = offset(error.mark);
    const std::string_view line = line_at(at);
    const auto indentation = line.substr(0, line.find_first_not_of(" \t"));
    const char c = at < text_.size() ? text_[at] : '\0';
    const auto is = [&](std::string_view message) { return error.msg == message; };

    if (is(YAML::ErrorMsg::UNKNOWN_ANCHOR) || is(YAML::ErrorMsg::ALIAS_NOT_FOUND) ||
        is(YAML::ErrorMsg::CHAR_IN_ALIAS)) {
        return explain_alias(at);
    }
    if (indentation.find('\t') != std::string_view::npos) {
        return {place(at), "tab", "a tab in the indentation; YAML is indented with spaces"};
    }
    if (is(YAML::ErrorMsg::UNKNOWN_TOKEN) && (c == '@' || c == '`' || c == '%')) {
        return {place(at), "unquoted",
                std::string("a value that begins with ") + c + " must be quoted"};
    }
    if (is(YAML::ErrorMsg::MAP_VALUE)) {
        return {
            place(at), "unquoted",
            "a colon that ends no key; quote the value if the colon belongs to it, or check the "
            "indentation"};
    }
    if (is(YAML::ErrorMsg::BLOCK_ENTRY)) {
        return {place(at), "invalid_yaml",
                "a list cannot begin behind its key; put \"- \" on a line of its own"};
    }
    if (is(YAML::ErrorMsg::END_OF_SEQ_FLOW) || is(YAML::ErrorMsg::END_OF_MAP_FLOW)) {
        return {place(at), "invalid_yaml", "expected a comma, or the bracket that closes this"};
    }
    if (is(YAML::ErrorMsg::END_OF_MAP) || is(YAML::ErrorMsg::END_OF_SEQ)) {
        return {place(at), "invalid_yaml",
                "expected the next key or item; check the indentation and the quotes here"};
    }
    return {place(at), "invalid_yaml", "not valid YAML: " + error.msg};
}

}  // namespace paperclip::declaration
