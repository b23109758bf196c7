#include "engine/declaration/format.hpp"

#include "engine/base/error.hpp"
#include "engine/declaration/source.hpp"
#include "engine/declaration/yaml_write.hpp"

#include <algorithm>
#include <functional>

namespace paperclip::declaration {
namespace {

struct Comment {
    int line = 0;
    bool own_line = false;
    std::string text;
};

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

/// The comments of a text. Quoted texts are followed over lines; block scalars (| and >) by their
/// indentation.
class CommentFinder {
 public:
    std::vector<Comment> find(std::string_view text) {
        int number = 0;
        while (!text.empty()) {
            const auto end = text.find('\n');
            take_line(text.substr(0, end), ++number);
            text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        }
        return std::move(found_);
    }

 private:
    void take_line(std::string_view line, int number) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        const auto indent = line.find_first_not_of(' ');
        if (block_ && (indent == std::string_view::npos || indent > block_indent_)) return;
        block_ = false;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const char c = line[i];
            if (quote_ != 0) {
                if (c == '\\' && quote_ == '"') {
                    ++i;
                } else if (c == quote_) {
                    quote_ = 0;  // of a doubled ' the second one opens again
                }
            } else if ((c == '"' || c == '\'') && opens_quote(line, i)) {
                quote_ = c;
            } else if (c == '#' && (i == 0 || is_space(line[i - 1]))) {
                found_.push_back(
                    {number, line.find_first_not_of(" \t") == i, std::string(line.substr(i))});
                line = line.substr(0, i);
            }
        }
        while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
        if (quote_ == 0 && ends_in_block_header(line)) {
            block_ = true;
            block_indent_ = indent == std::string_view::npos ? 0 : indent;
        }
    }
    /// A quote within a plain text ("it's") opens nothing.
    static bool opens_quote(std::string_view line, std::size_t at) {
        while (at > 0 && is_space(line[at - 1])) --at;
        return at == 0 || std::string_view("[{,:-'").find(line[at - 1]) != std::string_view::npos;
    }
    static bool ends_in_block_header(std::string_view line) {
        const auto last = line.find_last_of("|>");
        if (last == std::string_view::npos || last == 0 || !is_space(line[last - 1])) return false;
        return line.find_first_not_of("+-0123456789", last + 1) == std::string_view::npos;
    }

    std::vector<Comment> found_;
    char quote_ = 0;
    bool block_ = false;
    std::size_t block_indent_ = 0;
};

/// Every key and item of a document with its line, in the order of the text.
struct Place {
    int line;
    std::string path;
};

void collect(const Node& node, const std::string& path, std::vector<Place>& places) {
    const auto below = [&](std::string_view step) {
        return path.empty() ? std::string(step) : path + "." + std::string(step);
    };
    if (node.shape() == Node::Shape::object) {
        node.each_member([&](std::string_view key, const Node& member) {
            places.push_back({member.key_mark().line, below(key)});
            collect(member, below(key), places);
        });
    } else if (node.shape() == Node::Shape::list) {
        node.each_item([&](std::size_t i, const Node& item) {
            places.push_back({item.mark().line, below(std::to_string(i))});
            collect(item, below(std::to_string(i)), places);
        });
    }
}

Comments placed(const std::vector<Comment>& comments, std::vector<Place> places) {
    std::stable_sort(places.begin(), places.end(),
                     [](const Place& a, const Place& b) { return a.line < b.line; });
    Comments result;
    for (const Comment& comment : comments) {
        if (!comment.own_line) {
            // The outermost thing that begins in the line, else the last one before it.
            const Place* at = nullptr;
            for (const Place& place : places) {
                if (place.line > comment.line) break;
                if (at == nullptr || place.line > at->line) at = &place;
            }
            if (at != nullptr) {
                result.trailing[at->path].push_back(comment.text);
                continue;
            }
        }
        const auto next = std::find_if(places.begin(), places.end(), [&](const Place& place) {
            return place.line > comment.line;
        });
        (next == places.end() ? result.at_end : result.above[next->path]).push_back(comment.text);
    }
    return result;
}

std::vector<std::string> texts_of(const std::vector<Comment>& comments) {
    std::vector<std::string> texts;
    for (const Comment& comment : comments) texts.push_back(comment.text);
    std::sort(texts.begin(), texts.end());
    return texts;
}

}  // namespace

std::string format_yaml(std::string_view text) {
    const Source source = read_source({{std::string(k_company_file), std::string(text)}});
    if (has_errors(source.findings)) {
        throw Error(ErrorKind::unprocessable, to_text(source.findings), "invalid_declaration");
    }
    const auto comments = CommentFinder().find(text);
    std::vector<Place> places;
    collect(source.yaml->root(), {}, places);
    std::string formatted = write_yaml(source.document, placed(comments, std::move(places)));
    const Source again = read_source({{std::string(k_company_file), formatted}});
    if (to_json(again.document) != to_json(source.document) ||
        texts_of(CommentFinder().find(formatted)) != texts_of(comments)) {
        throw Error(ErrorKind::unprocessable,
                    "company.yaml: cannot be formatted without losing a comment or a value; move "
                    "comments out of lists and quoted texts, and try again");
    }
    return formatted;
}

}  // namespace paperclip::declaration
