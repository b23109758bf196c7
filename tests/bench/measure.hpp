#pragma once

#include <filesystem>
#include <string>

namespace paperclip::bench {

struct Plan {
    std::filesystem::path program;
    std::filesystem::path folder;  ///< for the instance; on the disk that is measured
    int seconds = 30;              ///< of each load
    int idle_minutes = 0;          ///< of 100,000 agents that have nothing to do; 0 leaves it out
    std::string only;              ///< the part to measure; empty: all
};

/// All figures, as JSON.
std::string measure(const Plan& plan);

}  // namespace paperclip::bench
