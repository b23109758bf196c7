#pragma once

#include "agent.hpp"

namespace paperclip::sdk {

/// The end of a text that grows: at most `most` bytes, no character cut. Not thread-safe.
class Tail {
 public:
    explicit Tail(std::size_t most = 64 << 10) : most_(most) {}

    void add_line(std::string_view line) {
        if (line.size() > most_) line.remove_prefix(line.size() - most_);
        text_ += line;
        text_ += '\n';
        if (text_.size() > 2 * most_) text_.erase(0, text_.size() - most_);
    }
    [[nodiscard]] std::string_view text() const noexcept {
        std::string_view text = text_;
        if (text.size() > most_) text.remove_prefix(text.size() - most_);
        while (text.size() < text_.size() && !text.empty() &&
               (static_cast<unsigned char>(text[0]) & 0xC0) == 0x80) {
            text.remove_prefix(1);
        }
        return text;
    }

 private:
    std::size_t most_;
    std::string text_;
};

/// How a child ended: as the EXIT input has it.
struct Exit {
    std::int32_t code = 0;  ///< -1 when a signal ended it or it did not start
    std::int32_t signal = 0;
    std::string_view not_started;  ///< why; empty when it did start
};

/// An agent that is one program: the author says how it is called and what its lines mean. A cancel
/// waits for the program's end, which the host brings about, and is then the run's result.
class ProcessAgent : public Agent {
 public:
    using Agent::Agent;

    void step(const Input& input, Actions& run) final {
        switch (input.kind) {
            case PC_IN_START:
                return start(input, run);
            case PC_IN_LINE:
                if (input.child == child_) line(run, input.stream, input.text);
                return;
            case PC_IN_EXIT:
                if (input.child == child_) end(input, run);
                return;
            case PC_IN_CANCEL:
                if (!stopped_) stopped_ = Stopped{input.code, std::string(input.text)};
                if (!alive_) finish(run, stop_result());
                return;
            default:
                return;
        }
    }

 protected:
    /// The program to start.
    virtual Spawn command(const Request& request) = 0;
    /// A line that it printed, without the line's end.
    virtual void line(Actions& run, std::int32_t stream, std::string_view text) {
        (void)run, (void)stream, (void)text;
    }
    /// What the program's end means. Not asked when the run was stopped.
    virtual Result exit(const Exit& exit) {
        if (exit.code == 0) return Result::ok();
        return Result::failed(PC_CLASS_AGENT_ERROR, "adapter_failed", message_of(exit));
    }
    /// The last touch to every result: what is known of the run whichever way it ended.
    virtual void complete(Result& result) { (void)result; }
    /// START of the kind PROBE: a JSON list of checks. Throws Failure for what cannot work.
    virtual std::string probe() { return "[]"; }
    /// START of the kind MODELS: a JSON list.
    virtual std::string models() { return "[]"; }

    [[nodiscard]] std::string message_of(const Exit& exit) const {
        if (!exit.not_started.empty()) {
            return "Failed to start command \"" + spawned_.command + "\" in \"" + spawned_.cwd +
                   "\". Verify adapter command, working directory, and PATH (" + spawned_.path +
                   "). " + std::string(exit.not_started);
        }
        if (exit.signal != 0) return "Process ended by signal " + std::to_string(exit.signal);
        return "Process exited with code " + std::to_string(exit.code);
    }

 private:
    struct Stopped {
        std::int32_t code;
        std::string message;
    };
    /// What a message about the start needs.
    struct Spawned {
        std::string command;
        std::string cwd;
        std::string path;
    };

    void start(const Input& input, Actions& run) {
        if (request().kind == PC_START_PROBE) return run.result(Result::ok(probe()));
        if (request().kind == PC_START_MODELS) return run.result(Result::ok(models()));
        started_us_ = input.now_us;
        const Spawn spawn = command(request());
        if (spawn.argv.empty()) throw Failure(PC_INVALID, "the command is empty");
        child_ = spawn.child;
        spawned_ = {spawn.argv.front(), spawn.cwd, path_in(spawn.environment)};
        run.spawn(spawn);
        alive_ = true;
    }
    void end(const Input& input, Actions& run) {
        alive_ = false;
        const Exit how{input.code, input.signal, input.code < 0 ? input.text : std::string_view{}};
        // The host may end the program at its deadline without a CANCEL before.
        const bool late = request().timeout_sec != 0 && how.signal != 0 &&
                          input.now_us - started_us_ >= request().timeout_sec * 1'000'000LL;
        if (late && !stopped_) stopped_ = Stopped{PC_CANCEL_TIMEOUT, {}};
        finish(run, stopped_ ? stop_result() : exit(how));
    }
    void finish(Actions& run, Result result) {
        complete(result);
        run.result(result);
    }
    [[nodiscard]] Result stop_result() const {
        if (stopped_->code == PC_CANCEL_TIMEOUT) {
            return Result::failed(
                PC_CLASS_TIMEOUT, "timeout",
                stopped_->message.empty()
                    ? "Timed out after " + std::to_string(request().timeout_sec) + "s"
                    : stopped_->message);
        }
        if (stopped_->code == PC_CANCEL_SILENCE) {
            return Result::failed(PC_CLASS_TIMEOUT, "output_silence", stopped_->message);
        }
        return Result::failed(PC_CLASS_CANCELLED, "cancelled", stopped_->message);
    }
    static std::string path_in(const std::vector<std::string>& environment) {
        std::string path = "the engine's PATH";
        for (std::size_t i = 0; i + 1 < environment.size(); i += 2) {
            if (environment[i] == "PATH") path = environment[i + 1];
        }
        return path;
    }

    std::int32_t child_ = 0;
    bool alive_ = false;
    std::int64_t started_us_ = 0;
    Spawned spawned_;
    std::optional<Stopped> stopped_;
};

}  // namespace paperclip::sdk
