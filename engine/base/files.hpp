#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace paperclip {

/// A file descriptor that is closed when its owner goes.
class UniqueFd {
 public:
    UniqueFd() noexcept = default;
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        reset(std::exchange(other.fd_, -1));
        return *this;
    }
    ~UniqueFd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    void reset(int fd = -1) noexcept;

 private:
    int fd_ = -1;
};

/// The bytes of a file. Throws Error{not_found} or Error{too_large}.
std::string read_file(const std::filesystem::path& path, std::size_t max_bytes = 64 << 20);

/// Puts `content` at `path` so that a crash leaves the old file or the new one, whole: temporary
/// file, fsync, rename, fsync of the folder. Readable by the owner only.
void write_file_durably(const std::filesystem::path& path, std::string_view content);

/// Makes a folder and its parents, readable by the owner only.
void make_private_folder(const std::filesystem::path& path);

/// Asks the file system to put the folders that will be made in `folder` far from each other; does
/// nothing where it has no such hint. For folders that come and go by the thousand: ext4 gives an
/// inode out again a minute after its deletion and no sooner, and looks at each of those whenever
/// it makes a file near them (0.6 ms a file were measured).
void spread_subfolders(const std::filesystem::path& folder) noexcept;

/// Writes all of `bytes`, whatever the number of system calls. Throws Error{unavailable}.
void write_all(int fd, std::string_view bytes, std::string_view what);

}  // namespace paperclip
