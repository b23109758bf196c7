#pragma once

#include "tests/faults/storage/test_vfs.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace paperclip::test {

/// Something that changed a folder, or a mark that a test set in between.
struct DiskEvent {
    enum class Kind {
        create,
        write,
        truncate,
        content,
        sync_file,
        sync_folder,
        rename,
        remove,
        mark
    };
    Kind kind;
    std::string name;         ///< of the file in the folder; the test's word, of a mark
    std::string other;        ///< the new name, of a rename; the bytes, of a write or a content
    std::int64_t number = 0;  ///< an offset, a new size, the test's number
};

/// Writes down what this process does to the files of one folder: what SQLite does through the
/// hooks, and every fsync, rename and unlink, whoever calls it. Nothing is really synced. One at a
/// time; thread-safe.
class DiskRecorder : public FileHooks {
 public:
    explicit DiskRecorder(std::filesystem::path folder);
    ~DiskRecorder() override;

    void mark(const std::string& word, std::int64_t number = 0);
    [[nodiscard]] const std::vector<DiskEvent>& events() const { return events_; }
    /// The files that were there at first, by name.
    [[nodiscard]] const std::map<std::string, std::string>& before() const { return before_; }

    int call(const FileCall& call, const std::function<int()>& real) override;
    // Called in the place of the system's functions.
    void synced(int fd);
    int renamed(const char* from, const char* to, const std::function<int()>& real);
    int removed(const char* path, const std::function<int()>& real);

 private:
    [[nodiscard]] bool is_ours(const std::filesystem::path& path) const {
        return path.parent_path() == folder_;
    }

    const std::filesystem::path folder_;
    std::map<std::string, std::string> before_;
    std::mutex mutex_;
    std::map<std::string, std::string> content_;
    std::vector<DiskEvent> events_;
};

/// What of unsynced changes a power failure leaves.
enum class Survives {
    nothing,
    everything,
    some,   ///< any 512 bytes of any write, any change of the folder
    first,  ///< what was written first, the last of it torn
};

/// Syncs that a disk only pretends to do.
struct Lies {
    bool log = false;     ///< of write-ahead logs
    bool files = false;   ///< of every file
    bool folder = false;  ///< of the folder
};

/// The disk as the events left it: what is safe, and what a power failure may take.
class PowerDisk {
 public:
    PowerDisk(const std::map<std::string, std::string>& before, const Lies& lies);

    void apply(const DiskEvent& event);
    /// The files, by name, after a power failure now.
    [[nodiscard]] std::map<std::string, std::string> after_failure(Survives survives,
                                                                   std::mt19937& random) const;

 private:
    struct Write {
        std::int64_t offset;  // or the new size
        std::string bytes;
        bool truncates;
    };
    struct Inode {
        std::string safe;
        std::vector<Write> unsynced;
    };
    using Folder = std::map<std::string, std::shared_ptr<Inode>>;
    struct FolderChange {
        std::string name;
        std::string old_name;         // of a rename
        std::shared_ptr<Inode> file;  // none: removed
    };
    static void apply(std::string& content, const Write& write);
    static void apply(Folder& folder, const FolderChange& change);
    static std::string survivor(const Inode& file, Survives survives, std::mt19937& random);
    std::shared_ptr<Inode>& file(const std::string& name);
    void change(FolderChange change);

    const Lies lies_;
    Folder now_;
    Folder safe_;
    std::vector<FolderChange> unsynced_;
};

}  // namespace paperclip::test
