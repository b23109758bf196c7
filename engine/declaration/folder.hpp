#pragma once

#include "engine/declaration/source.hpp"

#include <filesystem>

namespace paperclip::declaration {

/// Reads a declaration from a folder: company.yaml and the files that it refers to, nothing else.
/// Nothing is read through a symbolic link, or outside the folder. What a bad company.yaml refers
/// to is left out; validate() says why. Throws Error{not_found}, Error{too_large} or
/// Error{unprocessable} that names the file.
Files read_folder(const std::filesystem::path& folder);

}  // namespace paperclip::declaration
