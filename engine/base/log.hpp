#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace paperclip {

class Redactor;

enum class LogLevel { debug, info, warn, error, off };
enum class LogFormat { text, json };

/// A fact of a log line, beside its message: `{"run", id.view()}`.
struct LogField {
    LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
    LogField(std::string_view k, std::int64_t v) : key(k), value(std::to_string(v)) {}
    LogField(std::string_view k, std::uint64_t v) : key(k), value(std::to_string(v)) {}
    LogField(std::string_view k, int v) : key(k), value(std::to_string(v)) {}
    std::string_view key;
    std::string value;
};
using LogFields = std::initializer_list<LogField>;

/// Chooses form and level of the engine's log, which goes to standard error. Called once at start;
/// `redactor` must outlive the process's last log line.
void configure_log(LogFormat format, LogLevel level, const Redactor& redactor);

/// Writes a line; every line passes the redactor. Thread-safe. The message is constant text, what
/// changes stands in the fields, so that lines can be counted.
void log(LogLevel level, std::string_view message, LogFields fields = {});

inline void log_debug(std::string_view m, LogFields f = {}) {
    log(LogLevel::debug, m, f);
}
inline void log_info(std::string_view m, LogFields f = {}) {
    log(LogLevel::info, m, f);
}
inline void log_warn(std::string_view m, LogFields f = {}) {
    log(LogLevel::warn, m, f);
}
inline void log_error(std::string_view m, LogFields f = {}) {
    log(LogLevel::error, m, f);
}

}  // namespace paperclip
