#pragma once

#include <chrono>
#include <cstdint>

namespace paperclip::sqlite {

using SteadyTime = std::chrono::steady_clock::time_point;

/// The moment that is so many microseconds away; max() for none, as 0 and what lies beyond the
/// clock mean.
inline SteadyTime deadline_after(std::int64_t timeout_us) {
    using std::chrono::microseconds;
    const auto now = std::chrono::steady_clock::now();
    const auto left = std::chrono::duration_cast<microseconds>(SteadyTime::max() - now);
    return timeout_us > 0 && timeout_us < left.count() ? now + microseconds(timeout_us)
                                                       : SteadyTime::max();
}

}  // namespace paperclip::sqlite
