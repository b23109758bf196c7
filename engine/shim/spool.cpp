#include "engine/shim/spool.hpp"

#include "engine/pluginhost/shim_protocol.hpp"

#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace paperclip::shim {

std::int64_t realtime_us() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1'000'000 + now.tv_nsec / 1'000;
}

std::int64_t monotonic_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000 + now.tv_nsec / 1'000'000;
}

Spool::Spool(int file, std::int64_t max_bytes) : fd_(file), max_bytes_(max_bytes) {}

Spool::~Spool() {
    ::close(fd_);
}

Spool::Result Spool::append(std::uint32_t stream, std::string_view bytes) {
    if (max_bytes_ > 0 && bytes_ + static_cast<std::int64_t>(bytes.size()) > max_bytes_) {
        return Result::limit;
    }
    RecordHeader header{static_cast<std::uint32_t>(bytes.size()), stream, realtime_us()};
    iovec parts[2] = {{&header, sizeof header}, {const_cast<char*>(bytes.data()), bytes.size()}};
    const auto whole = static_cast<ssize_t>(sizeof header + bytes.size());
    ssize_t written = -1;
    do {
        written = ::writev(fd_, parts, 2);
    } while (written < 0 && errno == EINTR);
    if (written != whole) {
        // Half a record would make what follows unreadable.
        if (written > 0 && ::ftruncate(fd_, ::lseek(fd_, 0, SEEK_END) - written) != 0) {
            return Result::failed;
        }
        return Result::failed;
    }
    bytes_ += written;
    return Result::ok;
}

}  // namespace paperclip::shim
