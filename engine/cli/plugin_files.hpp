#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace paperclip::cli {

/// A file of the SDK's examples, as it was when this program was built.
struct ExampleFile {
    std::string_view path;  ///< below sdk/examples
    std::string_view text;
};
std::span<const ExampleFile> example_files();

/// Writes a plugin that its author begins with: the example of `language` (c or cpp) under another
/// name, in a new folder below `parent`. Returns that folder. Throws Error{invalid} for a name that
/// no plugin can have, Error{conflict} when there is something of that name already.
std::filesystem::path write_new_plugin(const std::string& name, const std::string& language,
                                       const std::filesystem::path& parent);

}  // namespace paperclip::cli
