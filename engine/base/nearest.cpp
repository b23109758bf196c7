#include "engine/base/nearest.hpp"

#include <algorithm>
#include <vector>

namespace paperclip {
namespace {

/// Longer words are not compared: the effort grows with the product of the lengths.
constexpr std::size_t k_longest = 100;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Optimal string alignment: Levenshtein's distance, and neighbours may be swapped.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
            const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                                 lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
    if (word.empty() || word.size() > k_longest) return std::nullopt;
    std::optional<std::string_view> best;
    std::size_t least = word.size() / 3 + 2;  // one more than may differ
    for (const auto candidate : candidates) {
        if (candidate.size() > word.size() + least || word.size() > candidate.size() + least)
            continue;
        // A word of which everything is changed is not the same word.
        const std::size_t differs = distance(word, candidate);
        if (differs >= least || differs >= std::max(word.size(), candidate.size())) continue;
        least = differs;
        best = candidate;
    }
    return best;
}

std::string listed(std::span<const std::string_view> words) {
    std::string list;
    for (const auto word : words) {
        if (!list.empty()) list += ", ";
        list += word;
    }
    return list;
}

}  // namespace paperclip
