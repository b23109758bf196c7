#pragma once

#include "engine/pluginhost/agent_plugin.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace paperclip::test {

/// A run as a text file: a request, then inputs (lines that begin with '>') and the actions that
/// are expected of each. plugins/README.md has the form.
struct RecordedCase {
    struct Exchange {
        std::string line;  ///< the input as it stands in the file
        pluginhost::AgentInput input;
        std::vector<std::string> expected;
    };
    pluginhost::AgentRequest request;
    std::vector<std::string> head;      ///< the lines before the first input
    std::vector<std::string> expected;  ///< of opening: nothing, or "refused …"
    std::vector<Exchange> exchanges;
};

/// Throws std::runtime_error that names the line.
RecordedCase read_case(const std::filesystem::path& file);

/// An action as a line of a recorded case: its name and its members that are not the default.
std::string describe(const pluginhost::AgentAction& action);

/// The case as a file would have it, with `actions` (of each exchange) in the place of what it
/// expects.
std::string write_case(const RecordedCase& recorded,
                       const std::vector<std::vector<std::string>>& actions);

}  // namespace paperclip::test
