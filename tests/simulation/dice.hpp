#pragma once

#include "engine/base/clock.hpp"

#include <random>

namespace paperclip::simulation {

/// All chance of a simulation: one seed decides every throw. For one thread.
class Dice {
 public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}

    /// 0 to `count` - 1.
    std::size_t below(std::size_t count) { return engine_() % count; }
    bool chance(double probability) {
        return static_cast<double>(engine_() >> 11) * 0x1.0p-53 < probability;
    }
    Duration between(Duration least, Duration most) {
        const auto span = static_cast<std::size_t>((most - least).count()) + 1;
        return least + Duration{static_cast<Duration::rep>(below(span))};
    }

 private:
    std::mt19937_64 engine_;
};

}  // namespace paperclip::simulation
