#pragma once

#include <string>
#include <string_view>

namespace paperclip::declaration {

/// company.yaml in its canonical form, with all of its comments: those on lines of their own stay
/// above what they stood above, those behind something stay in its line. Throws
/// Error{unprocessable, "invalid_declaration"} for a text that is not well-formed, and
/// Error{unprocessable} rather than lose a comment.
std::string format_yaml(std::string_view text);

}  // namespace paperclip::declaration
