#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace paperclip {

/// The candidate that `word` was probably meant to be: the one with the fewest letters changed,
/// added, left out or swapped with their neighbour, if those are few for the length of the word;
/// upper and lower case are the same. Nothing when no candidate is near.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

/// "a, b, c".
std::string listed(std::span<const std::string_view> words);

}  // namespace paperclip
