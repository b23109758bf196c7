#pragma once

#include "engine/base/clock.hpp"
#include "engine/base/files.hpp"
#include "engine/base/redact.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <sodium.h>
#include <string>
#include <string_view>

namespace paperclip::runs {

/// A run's log: an append-only file of JSON lines, `{"ts","stream","seq","chunk"}`, read by byte
/// offset. What is written has passed the redactor. Used by one session on one thread at a time.
class RunLog {
 public:
    /// Starts the log at `root / ref` anew: after a restart a session writes again what it replays.
    RunLog(const std::filesystem::path& root, const std::string& ref, const Redactor& redactor);

    /// Appends a piece of `stream` ("stdout", "stderr", "system"). Returns the line.
    std::string append(Time at, std::string_view stream, std::string_view text);

    [[nodiscard]] std::int64_t bytes() const { return bytes_; }
    [[nodiscard]] std::int64_t lines() const { return seq_; }
    /// SHA-256 of all that was written, in hex.
    [[nodiscard]] std::string sha256() const;

    /// `bytes` of a log from `offset` on.
    struct Slice {
        std::string content;
        std::optional<std::int64_t> next_offset;  ///< absent at the present end
    };
    /// Nothing when there is no such file.
    static std::optional<Slice> read(const std::filesystem::path& file, std::int64_t offset,
                                     std::int64_t limit);

    static constexpr std::size_t k_max_chunk = 64 << 10;

 private:
    const Redactor& redactor_;
    UniqueFd file_;
    std::int64_t bytes_ = 0;
    std::int64_t seq_ = 0;
    crypto_hash_sha256_state hash_;
};

/// Deletes logs that are older than `before`, and empty folders. Returns how many bytes that freed.
std::int64_t delete_old_logs(const std::filesystem::path& root,
                             std::filesystem::file_time_type before);

}  // namespace paperclip::runs
