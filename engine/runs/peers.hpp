#pragma once

#include "engine/access/gate.hpp"
#include "engine/runs/run_engine.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace paperclip::runs {

/// Tells whose process is at the other end of a loopback connection, from the kernel's tables. What
/// a connection is stays what it is, so each is looked up once. Thread-safe.
class ProcessPeers final : public access::Peers {
 public:
    explicit ProcessPeers(const RunEngine& engine) : engine_(engine) {}

    Answer who_is(const http::Peer& peer) override;

 private:
    [[nodiscard]] Answer look_up(const http::Peer& peer) const;

    const RunEngine& engine_;
    std::mutex mutex_;
    std::unordered_map<std::uint64_t, Answer> known_;  // by connection
};

}  // namespace paperclip::runs
