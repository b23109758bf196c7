#pragma once

#include <string_view>

namespace paperclip::pluginhost {

/// Ends every process of this user that was started with `variable` ("NAME=value") in its
/// environment, and those that it forks meanwhile: what is left when a shim was killed before it
/// could end its program. A program that cleared its environment is not found. Returns how many
/// there were.
int end_strays(std::string_view variable);

}  // namespace paperclip::pluginhost
