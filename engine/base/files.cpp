#include "engine/base/files.hpp"

#include "engine/base/error.hpp"

#include <cerrno>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace paperclip {

void UniqueFd::reset(int fd) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

std::string read_file(const std::filesystem::path& path, std::size_t max_bytes) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) throw system_error(ErrorKind::not_found, "cannot open " + path.string(), errno);
    std::string content;
    char buffer[64 << 10];
    for (;;) {
        const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw system_error(ErrorKind::not_found, "cannot read " + path.string(), errno);
        if (n == 0) return content;
        content.append(buffer, static_cast<std::size_t>(n));
        if (content.size() > max_bytes) {
            throw Error(ErrorKind::too_large,
                        path.string() + " has more than " + std::to_string(max_bytes) + " bytes");
        }
    }
}

void write_all(int fd, std::string_view bytes, std::string_view what) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            throw system_error(ErrorKind::unavailable, "cannot write " + std::string(what), errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

void write_file_durably(const std::filesystem::path& path, std::string_view content) {
    const std::string temporary = path.string() + ".tmp";
    const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) throw system_error(ErrorKind::unavailable, "cannot create " + temporary, errno);
    write_all(fd.get(), content, temporary);
    if (::fsync(fd.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
        throw system_error(ErrorKind::unavailable, "cannot write " + path.string(), errno);
    }
    const UniqueFd folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder) ::fsync(folder.get());
}

void make_private_folder(const std::filesystem::path& path) {
    if (path.empty() || std::filesystem::is_directory(path)) return;
    make_private_folder(path.parent_path());
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        throw system_error(ErrorKind::unavailable, "cannot create folder " + path.string(), errno);
    }
}

void spread_subfolders(const std::filesystem::path& folder) noexcept {
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int flags = 0;
    if (!fd || ::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) != 0) return;
    flags |= FS_TOPDIR_FL;
    static_cast<void>(::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags));
}

}  // namespace paperclip
