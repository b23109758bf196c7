#pragma once

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unistd.h>

namespace paperclip::sdk {

/// A named place where a test may kill this process as `kill -9` would, to show that a crash there
/// loses nothing: PAPERCLIP_FAIL_POINT="before-go:3" dies at the third pass of "before-go". Without
/// the variable it costs one comparison. Thread-safe.
inline void fail_point(std::string_view name) noexcept {
    struct Point {
        std::string name;
        std::atomic<int> passes_left{1};

        Point() {
            const char* text = std::getenv("PAPERCLIP_FAIL_POINT");
            if (text == nullptr) return;
            name = text;
            const auto colon = name.find(':');
            if (colon == std::string::npos) return;
            passes_left = std::atoi(name.c_str() + colon + 1);
            name.resize(colon);
        }
    };
    static Point point;
    if (point.name.empty() || name != point.name) return;
    if (point.passes_left.fetch_sub(1) == 1) ::kill(::getpid(), SIGKILL);
}

}  // namespace paperclip::sdk
