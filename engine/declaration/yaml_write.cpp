#include "engine/declaration/yaml_write.hpp"

#include "engine/base/utf8.hpp"
#include "engine/declaration/document.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include <boost/json.hpp>

namespace paperclip::declaration {
namespace {

namespace json = boost::json;

constexpr std::size_t k_width = 100;
constexpr std::size_t k_comment_column = 40;
constexpr std::string_view k_indicators = "-?:,[]{}#&*!|>'\"%@`~=<";
constexpr std::array<std::string_view, 13> k_words{
    "null", "true", "false", "yes", "no", "on", "off", "y", "n", "", ".inf", ".nan", "+.inf"};

/// Would some reader take the text for a number, with colons to the base of 60, or for a word?
bool looks_special(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (std::find(k_words.begin(), k_words.end(), lower) != k_words.end()) return true;
    const bool number_start =
        (text[0] >= '0' && text[0] <= '9') || text[0] == '.' || text[0] == '+';
    return number_start && text.find_first_not_of("0123456789.:eExXo+_abcdefABCDEF") == text.npos;
}

/// The character at the front of `text` if readers disagree about it as it is: YAML wants it
/// escaped, or some take it for the end of a line or a byte order mark. Else 0.
unsigned disputed_character(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    if (byte(0) == 0x7f) return 0x7f;
    if (byte(0) == 0xc2 && byte(1) < 0xa0) return byte(1);
    const auto front = text.substr(0, 3);
    if (front == "\u2028") return 0x2028;
    if (front == "\u2029") return 0x2029;
    if (front == "\ufeff") return 0xfeff;
    if (front == "\ufffe") return 0xfffe;
    return front == "\uffff" ? 0xffff : 0;
}

bool is_plain(std::string_view text) {
    if (text.empty() || looks_special(text)) return false;
    if (k_indicators.find(text.front()) != std::string_view::npos) return false;
    if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
    if (text.find(": ") != text.npos || text.find(" #") != text.npos) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (static_cast<unsigned char>(text[i]) < 0x20) return false;
        if (disputed_character(text.substr(i)) != 0) return false;
    }
    return text.find_first_of(",[]{}") == text.npos;
}

/// In double quotes, with JSON's escapes, which are YAML's too.
std::string quoted(std::string_view text) {
    std::string json;
    append_json_string(json, text);
    std::string out;
    for (std::size_t i = 0; i < json.size();) {
        const unsigned character = disputed_character(std::string_view(json).substr(i));
        if (character == 0) {
            out += json[i++];
            continue;
        }
        std::array<char, 11> escape;  // room for any number, as the compiler cannot know better
        std::snprintf(escape.data(), escape.size(), "\\u%04x", character);
        out += escape.data();
        i += utf8_sequence(std::string_view(json).substr(i));
    }
    return out;
}

std::string scalar(std::string_view text) {
    return is_plain(text) ? std::string(text) : quoted(text);
}

/// 0.11 as people write it, never 1.1E-1; with a point, so that it is read as what it was.
std::string number(double value) {
    std::array<char, 512> digits;
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed)
            .ptr;
    const std::string out(digits.data(), end);
    return out.find('.') == std::string::npos ? out + ".0" : out;
}

bool is_scalar(const json::value& value) {
    return !value.is_array() && !value.is_object();
}

std::string flow(const json::value& value) {
    if (value.is_string()) return scalar(std::string_view(value.get_string()));
    if (value.is_double()) return number(value.get_double());
    if (is_scalar(value)) return Json::from(value).text;
    std::string out;
    if (value.is_array()) {
        for (const auto& item : value.get_array()) out += (out.empty() ? "" : ", ") + flow(item);
        return "[" + out + "]";
    }
    for (const auto& [key, member] : value.get_object()) {
        out += (out.empty() ? "" : ", ") + scalar(std::string_view(key)) + ": " + flow(member);
    }
    return out.empty() ? "{}" : "{ " + out + " }";
}

/// Members without a value go; so do empty lists and mappings, where nothing and none are the same.
json::object pruned(const json::object& object, bool keep_all) {
    json::object kept;
    for (const auto& [key, member] : object) {
        if (keep_all) {
            kept[key] = member;
            continue;
        }
        if (member.is_null()) continue;
        const bool empty = (member.is_array() && member.get_array().empty()) ||
                           (member.is_object() && member.get_object().empty());
        const bool means_none = key == "permissions" || key == "tools" || key == "network";
        if (empty && !means_none) continue;
        if (member.is_object()) {
            json::object inner = pruned(member.get_object(), key == "config");
            if (!inner.empty()) kept[key] = std::move(inner);
        } else if (member.is_array()) {
            json::array items;
            for (const auto& item : member.get_array()) {
                items.push_back(item.is_object() ? json::value(pruned(item.get_object(), false))
                                                 : item);
            }
            kept[key] = std::move(items);
        } else {
            kept[key] = member;
        }
    }
    return kept;
}

class Writer {
 public:
    explicit Writer(const Comments& comments) : comments_(comments) {}

    std::string document(const json::object& root) {
        for (const auto& [name, member] : root) {
            const std::string key(name);
            const bool block = is_block(member, key, 0, key.size());
            if (!out_.empty() && (block || was_block_)) out_ += '\n';
            member_of(key, member, key, 0);
            was_block_ = block;
        }
        if (!comments_.at_end.empty()) out_ += '\n';
        for (const auto& comment : comments_.at_end) out_ += comment + "\n";
        return std::move(out_);
    }

 private:
    /// Sections and agents get lines of their own however short they are.
    [[nodiscard]] static bool must_be_block(const std::string& path, const json::value& value) {
        if (!value.is_object()) return path == "budgets" || path == "notify";
        const auto depth = std::count(path.begin(), path.end(), '.');
        return depth == 0 || (depth == 1 && path.starts_with("agents."));
    }
    [[nodiscard]] static bool is_block(const json::value& value, const std::string& path,
                                       std::size_t indent, std::size_t key) {
        if (is_scalar(value)) return false;
        return must_be_block(path, value) || indent + key + 2 + utf8_length(flow(value)) > k_width;
    }

    void member_of(const std::string& key, const json::value& value, const std::string& path,
                   std::size_t indent) {
        const std::string name = scalar(key);
        const bool block = is_block(value, path, indent, name.size());
        begin_line(path, indent, !block);
        line_ += name + ":";
        if (!block) {
            line_ += " " + flow(value);
            return end_line();
        }
        end_line();
        children(value, path, indent + 2);
    }

    void children(const json::value& value, const std::string& path, std::size_t indent) {
        if (value.is_object()) {
            for (const auto& [name, member] : value.get_object()) {
                const std::string key(name);
                member_of(key, member, path + "." + key, indent);
            }
            return;
        }
        std::size_t i = 0;
        for (const auto& item : value.get_array()) {
            const std::string at = path + "." + std::to_string(i++);
            const bool block = item.is_object() && !item.get_object().empty() &&
                               indent + 2 + utf8_length(flow(item)) > k_width;
            if (!block) {
                begin_line(at, indent, true);
                line_ += "- " + flow(item);
                end_line();
                continue;
            }
            dash_ = true;
            for (const auto& [name, member] : item.get_object()) {
                const std::string key(name);
                member_of(key, member, at + "." + key, indent + 2);
            }
        }
    }

    /// Starts a line for `path` with the comments of it, and of all below it when it is `whole`.
    void begin_line(const std::string& path, std::size_t indent, bool whole) {
        const std::string margin(indent, ' ');
        std::vector<std::string> trailing;
        for (const auto* comments : {&comments_.above, &comments_.trailing}) {
            for (const auto& [at, texts] : *comments) {
                const bool below = whole && at.starts_with(path + ".");
                // A block item of a list has no line of its own: its first key takes its comments.
                const bool item = dash_ && at == path.substr(0, path.rfind('.'));
                if (at != path && !below && !item) continue;
                for (const auto& text : texts) {
                    if (comments == &comments_.above) {
                        out_ += margin + text + "\n";
                    } else {
                        trailing.push_back(text);
                    }
                }
            }
        }
        for (std::size_t i = 1; i < trailing.size(); ++i) out_ += margin + trailing[i] + "\n";
        trailing_ = trailing.empty() ? "" : trailing.front();
        line_ = margin;
        if (dash_) line_.replace(indent - 2, 2, "- ");
        dash_ = false;
    }
    void end_line() {
        if (!trailing_.empty()) {
            const std::size_t length = utf8_length(line_);
            line_ += std::string(std::max(length + 1, k_comment_column) - length, ' ') + trailing_;
        }
        out_ += line_ + "\n";
    }

    const Comments& comments_;
    std::string out_;
    std::string line_;
    std::string trailing_;
    bool dash_ = false;
    bool was_block_ = false;
};

}  // namespace

std::string write_yaml(const Document& document, const Comments& comments) {
    const json::value value = parse_json(to_json(document));
    return Writer(comments).document(pruned(value.get_object(), false));
}

}  // namespace paperclip::declaration
