#pragma once

#include "engine/runs/run_log.hpp"
#include "engine/runs/runs.hpp"

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace paperclip::runs {

/// How far a run's output has got.
struct OutputProgress {
    std::optional<Time> last_output_at;
    std::string last_output_stream;
    std::int64_t lines = 0;
    std::int64_t bytes = 0;  ///< of the log
};

/// What a run printed, and what was said about it: its log, and the end of each stream for the
/// run's row. Used by one session on one thread at a time; progress() by any.
class Transcript {
 public:
    /// Gets each line of the log as it is written.
    using Sink = std::function<void(std::string_view line)>;
    Transcript(RunLog log, const Redactor& redactor, Sink sink);

    /// Adds what the engine or the adapter has to say; `stream` 0 is the engine.
    void say(Time at, int stream, std::string_view text);
    /// Adds lines that a child printed on `stream`.
    void print(Time at, int stream, const std::vector<std::string>& lines);
    /// A child printed something at `at`, perhaps not yet a whole line.
    void touch(Time at, int stream);
    /// Until it is called again with false, nothing is passed to the sink: the lines are known.
    void replaying(bool replaying) { replaying_ = replaying; }

    [[nodiscard]] std::optional<Time> last_output_at() const { return progress_.last_output_at; }
    [[nodiscard]] OutputProgress progress() const;
    /// Says of the run's output what its row keeps.
    void describe(RunOutcome& outcome) const;

 private:
    void write(Time at, int stream, std::string_view text);
    [[nodiscard]] std::string tail(int index) const;

    RunLog log_;
    const Redactor& redactor_;
    Sink sink_;
    bool replaying_ = false;
    std::string tails_[2];
    mutable std::mutex mutex_;
    OutputProgress progress_;
};

/// "stdout", "stderr", or "system" for 0.
const char* stream_name(int stream);

}  // namespace paperclip::runs
