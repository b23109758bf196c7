#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::process {

/// Splits a line into words the way a person expects of a command line, without any shell: space
/// separates, '…' and "…" keep what is between them together, a backslash outside '…' takes the
/// next character as it is. Nothing else means anything. Nothing when a quote is not closed or the
/// line ends in a backslash.
inline std::optional<std::vector<std::string>> split_words(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool inside = false;  // of a word, which may be empty: ''
    char quote = '\0';
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '\\' && quote != '\'') {
            if (++i == line.size()) return std::nullopt;
            word += line[i];
            inside = true;
        } else if (quote != '\0') {
            if (c == quote) {
                quote = '\0';
            } else {
                word += c;
            }
        } else if (c == '\'' || c == '"') {
            quote = c;
            inside = true;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            if (inside) words.push_back(std::move(word));
            word.clear();
            inside = false;
        } else {
            word += c;
            inside = true;
        }
    }
    if (quote != '\0') return std::nullopt;
    if (inside) words.push_back(std::move(word));
    return words;
}

}  // namespace paperclip::process
