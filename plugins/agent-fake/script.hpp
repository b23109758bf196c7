#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <paperclip/cpp/agent.hpp>

namespace paperclip::fake {

// The steps of a script, one struct each; README.md says what they do.
struct Say {
    std::string text;
};
struct Use {
    sdk::Usage usage;  ///< added to what was used before
};
struct Sleep {
    std::uint32_t milliseconds = 0;
};
struct Exec {
    std::vector<std::string> argv;
    bool may_fail = false;
};
struct Checkout {};
struct Comment {
    std::string text;
};
struct SetStatus {
    std::string status;
};
struct Create {
    std::string fields;  ///< JSON object, as in the script
};
struct KeepSession {
    std::string id;
};
struct Fail {
    sdk::Result result;
    std::int64_t retry_after_sec = 0;
};
struct Hang {};
using Step = std::variant<Say, Use, Sleep, Exec, Checkout, Comment, SetStatus, Create, KeepSession,
                          Fail, Hang>;

inline constexpr std::size_t k_max_steps = 10'000;

struct Script {
    std::vector<Step> steps;
    bool needs_issue = false;  ///< without one there is nothing to do at all
};

/// Reads the configuration; repetitions are written out. Without a script: the one that does the
/// whole of a working agent's round. Throws Failure(PC_INVALID, …) that names the place in the
/// script.
Script read_script(std::string_view config);

}  // namespace paperclip::fake
