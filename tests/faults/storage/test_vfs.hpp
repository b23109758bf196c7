#pragma once

#include <cstdint>
#include <functional>
#include <sqlite3.h>
#include <string>
#include <string_view>

namespace paperclip::test {

/// Something that SQLite asks of a file.
struct FileCall {
    enum class Kind { open, read, write, truncate, sync, remove, lock, map_shared };
    Kind kind;
    std::string path;
    int flags = 0;  ///< of open
    std::int64_t offset = 0;
    std::int64_t size = 0;  ///< of read and write; the new size of truncate
    std::string_view bytes = {};
};

/// Stands between SQLite and its files. Called on any thread.
class FileHooks {
 public:
    virtual ~FileHooks() = default;
    /// Does the call by `real`, or answers something else in its place.
    virtual int call(const FileCall& call, const std::function<int()>& real) = 0;
    /// SQLite wants to wait for a lock. Nothing sleeps here.
    virtual void slept(int /*microseconds*/) {}
};

/// A SQLite VFS that is the system's own but for the hooks, the default of this process from the
/// first use on. At most one set of hooks at a time; none lets everything through.
class HookedFiles {
 public:
    explicit HookedFiles(FileHooks& hooks);
    ~HookedFiles();
    HookedFiles(const HookedFiles&) = delete;
    HookedFiles& operator=(const HookedFiles&) = delete;
};

}  // namespace paperclip::test
