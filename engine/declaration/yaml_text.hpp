#pragma once

#include "engine/base/node.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace YAML {
class Exception;
struct Mark;
}  // namespace YAML

namespace paperclip::declaration {

/// The end of an attempt to read a YAML text; thrown and caught within the parser.
struct YamlStop {
    Mark mark;
    std::string code;
    std::string message;
};

/// The text that is being parsed, for finding places in it and for telling what yaml-cpp stumbled
/// over. Borrows the text.
class YamlText {
 public:
    /// A byte order mark at the front is left out.
    explicit YamlText(std::string_view text);

    [[nodiscard]] std::string_view bytes() const { return text_; }
    /// Line and column (in characters, as editors count) of a byte.
    [[nodiscard]] Mark place(std::size_t offset) const;
    [[nodiscard]] Mark place(const YAML::Mark& mark) const { return place(offset(mark)); }
    [[nodiscard]] std::size_t offset(const YAML::Mark& mark) const;

    /// Does a quoted text begin at `offset` (behind an anchor, perhaps) that never ends? yaml-cpp
    /// ends it with the file.
    [[nodiscard]] bool is_unterminated(std::size_t offset) const;

    /// What yaml-cpp's error means, with the fix.
    [[nodiscard]] YamlStop explain(const YAML::Exception& error) const;

 private:
    [[nodiscard]] std::string_view line_at(std::size_t offset) const;
    [[nodiscard]] YamlStop explain_alias(std::size_t offset) const;

    std::string_view text_;
    std::vector<std::size_t> lines_;  // where each begins
};

}  // namespace paperclip::declaration
