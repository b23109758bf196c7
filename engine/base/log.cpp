#include "engine/base/log.hpp"

#include "engine/base/json.hpp"
#include "engine/base/redact.hpp"

#include <atomic>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace paperclip {
namespace {

// spdlog keeps one default logger for the process; these two say how lines are made for it.
std::atomic<const Redactor*> g_redactor{nullptr};
std::atomic<LogFormat> g_format{LogFormat::text};

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warn:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
        case LogLevel::off:
            return spdlog::level::off;
    }
    return spdlog::level::info;
}

bool needs_quotes(std::string_view value) {
    return value.empty() || value.find_first_of(" \"\n\t=") != std::string_view::npos;
}

std::string line_of(std::string_view message, LogFields fields) {
    std::string line;
    if (g_format == LogFormat::json) {
        JsonWriter w(line);
        w.begin_object().member("message", message);
        for (const auto& field : fields) w.member(field.key, std::string_view(field.value));
        w.end_object();
        return line.substr(1);  // the pattern opens the object with time and level
    }
    line = message;
    for (const auto& field : fields) {
        line.append("  ").append(field.key) += '=';
        needs_quotes(field.value) ? append_json_string(line, field.value)
                                  : void(line += field.value);
    }
    return line;
}

}  // namespace

void configure_log(LogFormat format, LogLevel level, const Redactor& redactor) {
    g_redactor = &redactor;
    g_format = format;
    auto logger = spdlog::stderr_logger_mt("paperclip");
    logger->set_level(to_spdlog(level));
    logger->set_pattern(format == LogFormat::json
                            ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v)"
                            : "%H:%M:%S.%e %L %v",
                        format == LogFormat::json ? spdlog::pattern_time_type::utc
                                                  : spdlog::pattern_time_type::local);
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
}

void log(LogLevel level, std::string_view message, LogFields fields) {
    auto* logger = spdlog::default_logger_raw();
    if (!logger->should_log(to_spdlog(level))) return;
    std::string line = line_of(message, fields);
    if (const Redactor* redactor = g_redactor) line = redactor->scrub(line);
    logger->log(to_spdlog(level), "{}", line);
}

}  // namespace paperclip
