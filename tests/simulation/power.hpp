#pragma once

#include <cstdint>

namespace paperclip::simulation {

/// Whether the simulated engine is still there. Everything by which it acts on the world (store,
/// children, network) asks before it does anything; once the power is off nothing that the engine
/// still computes has any effect, as after a `kill -9`.
class Power {
 public:
    /// The engine wants to act once more: may it?
    bool use() {
        if (on_ && left_ > 0 && --left_ == 0) on_ = false;
        return on_;
    }
    [[nodiscard]] bool on() const { return on_; }
    /// It goes at the `acts`-th act from now.
    void fail_after(std::int64_t acts) { left_ = acts; }
    void cut() { on_ = false; }
    void restore() {
        on_ = true;
        left_ = 0;
    }

 private:
    bool on_ = true;
    std::int64_t left_ = 0;  ///< 0: no end in sight
};

}  // namespace paperclip::simulation
