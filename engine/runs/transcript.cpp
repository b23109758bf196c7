#include "engine/runs/transcript.hpp"

#include "engine/base/utf8.hpp"

namespace paperclip::runs {
namespace {

constexpr std::size_t k_tail_bytes = 32 << 10;

int index_of(int stream) {
    return stream == PC_STREAM_ERR ? 1 : 0;
}

}  // namespace

const char* stream_name(int stream) {
    switch (stream) {
        case PC_STREAM_OUT:
            return "stdout";
        case PC_STREAM_ERR:
            return "stderr";
        default:
            return "system";
    }
}

Transcript::Transcript(RunLog log, const Redactor& redactor, Sink sink)
    : log_(std::move(log)), redactor_(redactor), sink_(std::move(sink)) {}

void Transcript::write(Time at, int stream, std::string_view text) {
    const std::string line = log_.append(at, stream_name(stream), text);
    {
        const std::lock_guard lock(mutex_);
        progress_.lines = log_.lines();
        progress_.bytes = log_.bytes();
    }
    if (!replaying_) sink_(line);
}

void Transcript::say(Time at, int stream, std::string_view text) {
    write(at, stream, text);
}

void Transcript::touch(Time at, int stream) {
    const std::lock_guard lock(mutex_);
    progress_.last_output_at = at;
    progress_.last_output_stream = stream_name(stream);
}

void Transcript::print(Time at, int stream, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    std::string chunk;
    const auto put = [&] {
        write(at, stream, chunk);
        std::string& tail = tails_[index_of(stream)];
        tail += chunk;
        if (tail.size() > 2 * k_tail_bytes) tail.erase(0, tail.size() - k_tail_bytes);
        chunk.clear();
    };
    for (const auto& line : lines) {
        if (chunk.size() + line.size() > RunLog::k_max_chunk && !chunk.empty()) put();
        chunk += line + "\n";
    }
    put();
}

std::string Transcript::tail(int index) const {
    std::string_view text = tails_[index];
    if (text.size() > k_tail_bytes) text.remove_prefix(text.size() - k_tail_bytes);
    return redactor_.scrub(to_valid_utf8(text));
}

OutputProgress Transcript::progress() const {
    const std::lock_guard lock(mutex_);
    return progress_;
}

void Transcript::describe(RunOutcome& outcome) const {
    outcome.log_bytes = outcome.last_output_bytes = log_.bytes();
    outcome.log_sha256 = log_.sha256();
    outcome.last_output_seq = log_.lines();
    outcome.last_output_at = progress_.last_output_at;
    if (progress_.last_output_at) outcome.last_output_stream = progress_.last_output_stream;
    outcome.stdout_excerpt = tail(0);
    outcome.stderr_excerpt = tail(1);
}

}  // namespace paperclip::runs
