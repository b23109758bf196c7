#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paperclip::pluginhost {

/// What is wrong with `document` by `schema` (JSON Schema), a line each: where and what. A schema
/// that cannot be read is itself a finding. Unless `complete`, missing members are no findings.
std::vector<std::string> check_json(std::string_view schema, std::string_view document,
                                    bool complete);

}  // namespace paperclip::pluginhost
