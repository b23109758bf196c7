#pragma once

#include <filesystem>
#include <string_view>

namespace paperclip::pluginhost {

/// Ends what is left when a shim was killed before it could end its program: every process of this
/// user that was started with `variable` ("NAME=value") in its environment, what came to us as an
/// orphan and is not `shim`, and what these fork meanwhile. Who cleared its environment and is the
/// orphan of a shim of an earlier engine is not found. Returns how many there were.
int end_strays(std::string_view variable, const std::filesystem::path& shim);

}  // namespace paperclip::pluginhost
