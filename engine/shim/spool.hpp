#pragma once

#include <cstdint>
#include <string_view>

namespace paperclip::shim {

/// The append-only file of what the program printed. Lives as long as the shim.
class Spool {
 public:
    /// `file`: k_output_file, open to append; the spool closes it.
    Spool(int file, std::int64_t max_bytes);
    ~Spool();
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    enum class Result { ok, limit, failed };
    Result append(std::uint32_t stream, std::string_view bytes);

 private:
    int fd_;
    std::int64_t max_bytes_;
    std::int64_t bytes_ = 0;
};

std::int64_t realtime_us();
std::int64_t monotonic_ms();

}  // namespace paperclip::shim
