#include "engine/runs/run_log.hpp"

#include "engine/base/error.hpp"
#include "engine/base/json.hpp"
#include "engine/base/log.hpp"
#include "engine/base/utf8.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace paperclip::runs {

namespace fs = std::filesystem;

RunLog::RunLog(const fs::path& root, const std::string& ref, const Redactor& redactor)
    : redactor_(redactor) {
    const fs::path file = root / ref;
    make_private_folder(file.parent_path());
    file_.reset(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
    if (!file_) throw system_error(ErrorKind::unavailable, "cannot create " + file.string(), errno);
    crypto_hash_sha256_init(&hash_);
}

std::string RunLog::append(Time at, std::string_view stream, std::string_view text) {
    std::string line;
    JsonWriter(line)
        .begin_object()
        .member("ts", at)
        .member("stream", stream)
        .member("seq", ++seq_)
        .member("chunk", redactor_.scrub(text))
        .end_object();
    line += '\n';
    try {
        write_all(file_.get(), line, "the run's log");
    } catch (const Error& e) {
        // A full disk must not end the run: its output is still in the spool.
        log_warn("run log not written", {{"error", e.message()}});
        return line;
    }
    bytes_ += static_cast<std::int64_t>(line.size());
    crypto_hash_sha256_update(&hash_, reinterpret_cast<const unsigned char*>(line.data()),
                              line.size());
    return line;
}

std::string RunLog::sha256() const {
    crypto_hash_sha256_state state = hash_;
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&state, hash);
    char hex[sizeof hash * 2 + 1];
    return sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
}

std::optional<RunLog::Slice> RunLog::read(const fs::path& file, std::int64_t offset,
                                          std::int64_t limit) {
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0) return std::nullopt;
    Slice slice;
    constexpr std::int64_t k_longest_character = 4;
    slice.content.resize(static_cast<std::size_t>(std::max<std::int64_t>(
        0, std::min<std::int64_t>(limit + k_longest_character, info.st_size - offset))));
    const ssize_t n = ::pread(fd.get(), slice.content.data(), slice.content.size(), offset);
    slice.content.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    // Whole characters, and at least one: who puts the pieces together has the log.
    const std::size_t first = std::max<std::size_t>(1, utf8_sequence(slice.content));
    const std::size_t whole = utf8_prefix(slice.content, static_cast<std::size_t>(limit)).size();
    slice.content.resize(std::min(slice.content.size(), std::max(whole, first)));
    const std::int64_t end = offset + static_cast<std::int64_t>(slice.content.size());
    if (end < info.st_size) slice.next_offset = end;
    return slice;
}

std::int64_t delete_old_logs(const fs::path& root, fs::file_time_type before) {
    std::int64_t freed = 0;
    std::error_code error;
    for (auto entry = fs::recursive_directory_iterator(root, error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        std::error_code ignored;
        if (!entry->is_regular_file(ignored) || entry->last_write_time(ignored) >= before) continue;
        const auto size = static_cast<std::int64_t>(entry->file_size(ignored));
        if (fs::remove(entry->path(), ignored)) freed += size;
    }
    return freed;
}

}  // namespace paperclip::runs
