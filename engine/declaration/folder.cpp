#include "engine/declaration/folder.hpp"

#include "engine/base/error.hpp"
#include "engine/base/files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace paperclip::declaration {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_max_file = 4 << 20;
constexpr std::size_t k_max_all = 32 << 20;

[[noreturn]] void fail(const fs::path& folder, const std::string& file, int error) {
    const std::string where = (folder / file).string();
    if (error == ELOOP || error == ENOTDIR) {
        throw Error(ErrorKind::unprocessable,
                    where +
                        ": expected a file of the folder, found a symbolic link on the way; a "
                        "declaration holds its files itself");
    }
    throw system_error(ErrorKind::not_found, where, error);
}

/// Opens a file step by step, so that no link is followed, whoever swaps one in meanwhile.
UniqueFd open_inside(const fs::path& folder, const std::string& file) {
    UniqueFd at(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!at) fail(folder, {}, errno);
    std::string_view rest = file;
    while (true) {
        const auto slash = rest.find('/');
        const std::string step(rest.substr(0, slash));
        const int kind = slash == std::string_view::npos ? O_NONBLOCK : O_DIRECTORY;
        UniqueFd next(::openat(at.get(), step.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind));
        if (!next) fail(folder, file, errno);
        if (slash == std::string_view::npos) return next;
        at = std::move(next);
        rest.remove_prefix(slash + 1);
    }
}

std::string read_inside(const fs::path& folder, const std::string& file) {
    const UniqueFd fd = open_inside(folder, file);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) fail(folder, file, errno);
    if (!S_ISREG(info.st_mode)) {
        throw Error(ErrorKind::unprocessable,
                    (folder / file).string() + ": expected a file, found something else");
    }
    std::string content;
    char buffer[65536];
    while (true) {
        const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(folder, file, errno);
        if (count == 0) return content;
        content.append(buffer, static_cast<std::size_t>(count));
        if (content.size() > k_max_file) {
            throw Error(ErrorKind::too_large, (folder / file).string() + ": expected at most " +
                                                  std::to_string(k_max_file >> 20) + " MiB");
        }
    }
}

}  // namespace

Files read_folder(const fs::path& folder) {
    Files files;
    const std::string company(k_company_file);
    files[company] = read_inside(folder, company);
    const Source source = read_source(files);
    std::size_t total = files[company].size();
    for (const std::string& file : referenced_files(source.document)) {
        if (!is_inner_path(file)) continue;
        try {
            files[file] = read_inside(folder, file);
        } catch (const Error& e) {
            if (e.kind() != ErrorKind::not_found) throw;
            continue;  // validate() says where it is wanted
        }
        total += files[file].size();
        if (total > k_max_all) {
            throw Error(ErrorKind::too_large, folder.string() + ": its files have more than " +
                                                  std::to_string(k_max_all >> 20) + " MiB");
        }
    }
    return files;
}

}  // namespace paperclip::declaration
