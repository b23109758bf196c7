#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the engine and the run shim say to each other: the engine sends a folder and a Spec over the
// socket that the shim has as descriptor 3; then one byte, k_go, once it has stored the shim's pid.
// In that folder the shim leaves the files below. Standard library only: the shim is linked without
// the engine.
namespace paperclip::shim {

constexpr int k_socket = 3;
constexpr char k_ready = 'R';  ///< shim to engine: the Spec was understood
constexpr char k_go = 'G';     ///< engine to shim: execute
constexpr char k_free = 'F';   ///< shim to engine: the run has ended, its note is written

/// Records of what the program printed; made once, just before the program is executed.
constexpr const char* k_output_file = "output";
constexpr const char* k_input_file = "input";  ///< what the program reads, appended by the engine
constexpr const char* k_input_end_file = "input.end";  ///< there: nothing more will be appended
constexpr const char* k_exit_file = "exit";            ///< how it ended, by rename, last of all

/// Signals that the engine sends to the shim.
enum class Order : int {
    interrupt = 2,   ///< SIGINT: pass it on to the program
    stop = 15,       ///< SIGTERM: TERM, and KILL after the grace
    stop_hard = 12,  ///< SIGUSR2: TERM, and KILL after two seconds
    kill = 10,       ///< SIGUSR1: KILL
    destroy = 9,     ///< SIGKILL, of the shim itself: its program is a stray then
};

/// What to run and within which bounds; 0 is no bound.
struct Spec {
    /// Whose run it is. Not sent: the engine lets a shim, to which a program could have done
    /// something, serve runs of one owner alone.
    std::string owner;
    std::vector<std::string> argv;
    std::vector<std::string> environment;  ///< NAME=value
    std::string cwd;
    bool has_input = false;  ///< the program reads k_input_file; otherwise /dev/null
    std::int64_t timeout_ms = 0;
    std::int64_t silence_ms = 0;
    std::int64_t grace_ms = 0;
    std::int64_t max_output_bytes = 0;
};

/// Before each piece of output in k_output_file.
struct RecordHeader {
    std::uint32_t size = 0;
    std::uint32_t stream = 0;  ///< 1: standard output, 2: standard error
    std::int64_t time_us = 0;
};
static_assert(sizeof(RecordHeader) == 16);
constexpr std::size_t k_max_record = 64 << 10;

/// Why a program was stopped by the shim.
enum class StopReason : int { none, order, timeout, silence, output_limit, spool_failed };

/// k_exit_file, as "name value" lines.
struct Exit {
    int code = -1;        ///< exit status, or -1
    int signal = 0;       ///< that ended it, or 0
    int start_error = 0;  ///< errno when it could not be executed, or 0
    StopReason reason = StopReason::none;
    std::int64_t ended_us = 0;
    std::int64_t cpu_us = 0;  ///< of the program and all its descendants
    std::int64_t max_rss_kib = 0;
    int left_behind = 0;  ///< processes that outlived the program and were killed
};

namespace detail {
inline void put(std::string& out, std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    out.append(reinterpret_cast<const char*>(&size), sizeof size).append(text);
}
inline bool take(std::string_view& in, std::string& text) {
    std::uint32_t size = 0;
    if (in.size() < sizeof size) return false;
    std::memcpy(&size, in.data(), sizeof size);
    in.remove_prefix(sizeof size);
    if (in.size() < size) return false;
    text.assign(in.substr(0, size));
    in.remove_prefix(size);
    return true;
}
inline void put(std::string& out, const std::vector<std::string>& list) {
    put(out, std::to_string(list.size()));
    for (const auto& text : list) put(out, text);
}
inline bool take(std::string_view& in, std::vector<std::string>& list) {
    std::string count;
    if (!take(in, count)) return false;
    list.resize(static_cast<std::size_t>(std::atol(count.c_str())));
    for (auto& text : list) {
        if (!take(in, text)) return false;
    }
    return true;
}
}  // namespace detail

/// The frame that says what to run, and in which folder its files are.
inline std::string encode(std::string_view folder, const Spec& spec) {
    std::string body;
    detail::put(body, folder);
    detail::put(body, spec.argv);
    detail::put(body, spec.environment);
    detail::put(body, spec.cwd);
    for (const std::int64_t number : {std::int64_t{spec.has_input}, spec.timeout_ms,
                                      spec.silence_ms, spec.grace_ms, spec.max_output_bytes}) {
        detail::put(body, std::to_string(number));
    }
    std::string frame;
    detail::put(frame, body);
    return frame;
}

/// `body`: a frame without the length before it.
inline std::optional<Spec> decode(std::string_view body, std::string& folder) {
    Spec spec;
    if (!detail::take(body, folder) || !detail::take(body, spec.argv) ||
        !detail::take(body, spec.environment) || !detail::take(body, spec.cwd)) {
        return std::nullopt;
    }
    std::int64_t numbers[5];
    for (auto& number : numbers) {
        std::string text;
        if (!detail::take(body, text)) return std::nullopt;
        number = std::atoll(text.c_str());
    }
    spec.has_input = numbers[0] != 0;
    spec.timeout_ms = numbers[1];
    spec.silence_ms = numbers[2];
    spec.grace_ms = numbers[3];
    spec.max_output_bytes = numbers[4];
    return spec;
}

inline std::string encode(const Exit& exit) {
    std::string out;
    const auto line = [&](const char* name, std::int64_t value) {
        out.append(name).append(" ").append(std::to_string(value)).append("\n");
    };
    line("code", exit.code);
    line("signal", exit.signal);
    line("start_error", exit.start_error);
    line("reason", static_cast<int>(exit.reason));
    line("ended_us", exit.ended_us);
    line("cpu_us", exit.cpu_us);
    line("max_rss_kib", exit.max_rss_kib);
    line("left_behind", exit.left_behind);
    return out;
}

inline Exit decode_exit(std::string_view text) {
    Exit exit;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        const auto space = line.find(' ');
        if (space == std::string_view::npos) continue;
        const auto name = line.substr(0, space);
        const std::int64_t value = std::atoll(std::string(line.substr(space + 1)).c_str());
        if (name == "code") exit.code = static_cast<int>(value);
        if (name == "signal") exit.signal = static_cast<int>(value);
        if (name == "start_error") exit.start_error = static_cast<int>(value);
        if (name == "reason") exit.reason = static_cast<StopReason>(value);
        if (name == "ended_us") exit.ended_us = value;
        if (name == "cpu_us") exit.cpu_us = value;
        if (name == "max_rss_kib") exit.max_rss_kib = value;
        if (name == "left_behind") exit.left_behind = static_cast<int>(value);
    }
    return exit;
}

}  // namespace paperclip::shim
