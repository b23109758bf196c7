#pragma once

#include "../abi.h"
#include "text.hpp"

#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

/// The C++20 layer over the C ABI: header-only, the standard library only.
namespace paperclip::sdk {

inline pc_str str(std::string_view text) noexcept {
    return {text.data(), text.size()};
}
inline std::string_view view(pc_str text) noexcept {
    return text.data == nullptr ? std::string_view{} : std::string_view{text.data, text.size};
}

/// An error in the ABI's fixed form, cut to fit. `error` may be null.
inline void set_error(pc_error* error, std::string_view message, int code = 0) noexcept {
    if (error == nullptr) return;
    message = utf8_prefix(message, sizeof error->message - 1);
    std::memcpy(error->message, message.data(), message.size());
    error->message[message.size()] = '\0';
    error->code = code;
}

/// A failure on its way to the edge of the plugin: thrown inside, turned into a status and an error
/// by guard().
class Failure : public std::exception {
 public:
    Failure(pc_status status, std::string message, int code = 0)
        : status_(status), message_(std::move(message)), code_(code) {}
    [[nodiscard]] pc_status status() const noexcept { return status_; }
    [[nodiscard]] int code() const noexcept { return code_; }
    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
    pc_status status_;
    std::string message_;
    int code_;
};

/// Calls `body`, which returns nothing or a pc_status, and lets no exception out.
template <class Body>
pc_status guard(pc_error* error, Body&& body) noexcept {
    try {
        if constexpr (std::is_void_v<decltype(body())>) {
            body();
            return PC_OK;
        } else {
            return body();
        }
    } catch (const Failure& failure) {
        set_error(error, failure.what(), failure.code());
        return failure.status();
    } catch (const std::exception& e) {
        set_error(error, e.what());
        return PC_ERROR;
    } catch (...) {
        set_error(error, "unknown exception");
        return PC_ERROR;
    }
}

/// What the host gave at init; valid until deinit.
class Host {
 public:
    static void set(const pc_host* host) noexcept { instance() = host; }
    static void log(int32_t level, std::string_view message) noexcept {
        const pc_host* host = instance();
        if (PC_HAS(host, pc_host, log) && host->log != nullptr) {
            host->log(host->ctx, level, str(message));
        }
    }

 private:
    static const pc_host*& instance() noexcept {
        static const pc_host* host = nullptr;
        return host;
    }
};

namespace detail {
inline pc_status init(const pc_host* host, pc_error*) noexcept {
    Host::set(host);
    return PC_OK;
}
inline void deinit() noexcept {
    Host::set(nullptr);
}
}  // namespace detail

}  // namespace paperclip::sdk

/// Exports the plugin. `interface_of_` is `const void* (*)(pc_str)`; id and version as in
/// plugin.json:
///     PAPERCLIP_PLUGIN("agent-echo", "1.0.0", interface_of)
#define PAPERCLIP_PLUGIN(id_, version_, interface_of_)                     \
    extern "C" PC_EXPORT const pc_plugin* paperclip_plugin_v1(void) {      \
        static const pc_plugin plugin = {sizeof(pc_plugin),                \
                                         PC_ABI_MAJOR,                     \
                                         PC_ABI_MINOR,                     \
                                         {id_, sizeof(id_) - 1},           \
                                         {version_, sizeof(version_) - 1}, \
                                         paperclip::sdk::detail::init,     \
                                         paperclip::sdk::detail::deinit,   \
                                         interface_of_};                   \
        return &plugin;                                                    \
    }
