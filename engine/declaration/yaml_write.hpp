#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::declaration {

struct Document;

/// Comments by the path ("agents.ceo") of what they stand at.
struct Comments {
    std::map<std::string, std::vector<std::string>> above;     ///< on lines of their own
    std::map<std::string, std::vector<std::string>> trailing;  ///< behind it
    std::vector<std::string> at_end;                           ///< of the file
};

/// The document in its one canonical form: keys in the vocabulary's order, two spaces, short
/// mappings and lists on one line, quotes where a reader of YAML 1.1 or 1.2 would need them. A
/// comment of a value that stands inside a line goes to that line.
std::string write_yaml(const Document& document, const Comments& comments = {});

}  // namespace paperclip::declaration
