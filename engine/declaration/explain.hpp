#pragma once

#include "engine/declaration/source.hpp"

#include <string>
#include <vector>

namespace paperclip::declaration {

/// All that an agent of a declaration can spend, reach, change and hire, in plain words.
struct Explanation {
    std::string agent;
    std::vector<std::string> is;  ///< role, adapter, manager, reports
    std::vector<std::string> wakes;
    std::vector<std::string> spends;
    std::vector<std::string> reaches;  ///< hosts, files, secrets
    std::vector<std::string> may;      ///< permissions and tools
    std::string text;                  ///< all of it
};
BOOST_DESCRIBE_STRUCT(Explanation, (), (agent, is, wakes, spends, reaches, may, text))

/// Throws Error{not_found} that names the likely one when there is no such agent.
Explanation explain(const Document& document, const std::string& agent);

}  // namespace paperclip::declaration
