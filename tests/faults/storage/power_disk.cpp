#include "tests/faults/storage/power_disk.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <sys/syscall.h>
#include <unistd.h>

namespace paperclip::test {

namespace fs = std::filesystem;

namespace {

using Event = DiskEvent::Kind;

std::atomic<DiskRecorder*> g_recorder{nullptr};

std::string read_all(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_at(std::string& content, std::int64_t offset, std::string_view bytes) {
    const auto at = static_cast<std::size_t>(offset);
    if (content.size() < at + bytes.size()) content.resize(at + bytes.size());
    bytes.copy(content.data() + at, bytes.size());
}

/// SQLite's index of the log is made anew from the log; the lock file holds nothing.
bool is_kept(const std::string& name) {
    return !name.ends_with("-shm") && !name.ends_with(".lock");
}

}  // namespace

DiskRecorder::DiskRecorder(fs::path folder) : folder_(std::move(folder)) {
    for (const auto& entry : fs::directory_iterator(folder_)) {
        const auto name = entry.path().filename().string();
        if (is_kept(name)) before_[name] = read_all(entry.path());
    }
    content_ = before_;
    g_recorder = this;
}

DiskRecorder::~DiskRecorder() {
    g_recorder = nullptr;
}

void DiskRecorder::mark(const std::string& word, std::int64_t number) {
    const std::lock_guard lock(mutex_);
    events_.push_back({Event::mark, word, {}, number});
}

int DiskRecorder::call(const FileCall& call, const std::function<int()>& real) {
    const fs::path path(call.path);
    const bool changes =
        call.kind == FileCall::Kind::write || call.kind == FileCall::Kind::truncate;
    if (!is_ours(path) || !(changes || call.kind == FileCall::Kind::open)) return real();
    const auto name = path.filename().string();
    if (call.kind == FileCall::Kind::open) {
        // SQLite takes locks of its own here, under which it may also remove a file: not to be
        // called with ours held.
        const bool there = fs::exists(path);
        const int code = real();
        const std::lock_guard lock(mutex_);
        if (code == SQLITE_OK && !there && fs::exists(path)) {
            content_[name].clear();
            events_.push_back({Event::create, name, {}});
        }
        return code;
    }
    const std::lock_guard lock(mutex_);
    const int code = real();
    if (code != SQLITE_OK) return code;
    if (call.kind == FileCall::Kind::write) {
        write_at(content_[name], call.offset, call.bytes);
        events_.push_back({Event::write, name, std::string(call.bytes), call.offset});
    } else {
        content_[name].resize(static_cast<std::size_t>(call.size));
        events_.push_back({Event::truncate, name, {}, call.size});
    }
    return code;
}

void DiskRecorder::synced(int fd) {
    const fs::path path = fs::read_symlink("/proc/self/fd/" + std::to_string(fd));
    const std::lock_guard lock(mutex_);
    if (path == folder_) {
        events_.push_back({Event::sync_folder, {}, {}});
    } else if (is_ours(path)) {
        const auto name = path.filename().string();
        // Not every byte is written by SQLite.
        if (auto actual = read_all(path); actual != content_[name]) {
            content_[name] = actual;
            events_.push_back({Event::content, name, std::move(actual)});
        }
        events_.push_back({Event::sync_file, name, {}});
    }
}

int DiskRecorder::renamed(const char* from, const char* to, const std::function<int()>& real) {
    const std::lock_guard lock(mutex_);
    const int code = real();
    if (code != 0 || !is_ours(from)) return code;
    const auto old_name = fs::path(from).filename().string();
    const auto name = fs::path(to).filename().string();
    content_[name] = std::move(content_[old_name]);
    content_.erase(old_name);
    events_.push_back({Event::rename, old_name, name});
    return code;
}

int DiskRecorder::removed(const char* path, const std::function<int()>& real) {
    const auto name = fs::path(path).filename().string();
    if (!is_ours(path) || !is_kept(name)) return real();
    const std::lock_guard lock(mutex_);
    const int code = real();
    if (code != 0) return code;
    content_.erase(name);
    events_.push_back({Event::remove, name, {}});
    return code;
}

PowerDisk::PowerDisk(const std::map<std::string, std::string>& before, const Lies& lies)
    : lies_(lies) {
    for (const auto& [name, content] : before) {
        now_[name] = safe_[name] = std::make_shared<Inode>(Inode{content, {}});
    }
}

std::shared_ptr<PowerDisk::Inode>& PowerDisk::file(const std::string& name) {
    auto& file = now_[name];
    if (!file) change({name, {}, file = std::make_shared<Inode>()});
    return file;
}

void PowerDisk::change(FolderChange change) {
    apply(now_, change);
    unsynced_.push_back(std::move(change));
}

void PowerDisk::apply(Folder& folder, const FolderChange& change) {
    if (!change.old_name.empty()) folder.erase(change.old_name);
    if (change.file) {
        folder[change.name] = change.file;
    } else {
        folder.erase(change.name);
    }
}

void PowerDisk::apply(std::string& content, const Write& write) {
    if (write.truncates) {
        content.resize(static_cast<std::size_t>(write.offset));
    } else {
        write_at(content, write.offset, write.bytes);
    }
}

void PowerDisk::apply(const DiskEvent& event) {
    switch (event.kind) {
        case Event::create:
            change({event.name, {}, std::make_shared<Inode>()});
            break;
        case Event::write:
            file(event.name)->unsynced.push_back({event.number, event.other, false});
            break;
        case Event::truncate:
            file(event.name)->unsynced.push_back({event.number, {}, true});
            break;
        case Event::content: {
            auto& writes = file(event.name)->unsynced;
            writes.push_back({0, {}, true});
            writes.push_back({0, event.other, false});
            break;
        }
        case Event::sync_file: {
            if (lies_.files || (lies_.log && event.name.ends_with("-wal"))) break;
            Inode& inode = *file(event.name);
            for (const Write& write : inode.unsynced) apply(inode.safe, write);
            inode.unsynced.clear();
            break;
        }
        case Event::sync_folder:
            if (lies_.folder) break;
            safe_ = now_;
            unsynced_.clear();
            break;
        case Event::rename:
            change({event.other, event.name, file(event.name)});
            break;
        case Event::remove:
            change({event.name, {}, nullptr});
            break;
        case Event::mark:
            break;
    }
}

std::string PowerDisk::survivor(const Inode& file, Survives survives, std::mt19937& random) {
    constexpr std::size_t k_sector = 512;
    std::string content = file.safe;
    if (survives == Survives::nothing) return content;
    const auto count = survives == Survives::first && !file.unsynced.empty()
                           ? random() % (file.unsynced.size() + 1)
                           : file.unsynced.size();
    for (std::size_t i = 0; i < count; ++i) {
        const Write& write = file.unsynced[i];
        const bool last = survives == Survives::first && i + 1 == count;
        if (write.truncates || (survives != Survives::some && !last)) {
            if (survives != Survives::some || random() % 2 == 0) apply(content, write);
            continue;
        }
        std::size_t end = write.bytes.size();
        if (last) end = random() % (end + 1);
        for (std::size_t at = 0; at < end;) {
            // Sectors are those of the file, not of the write.
            const auto offset = static_cast<std::size_t>(write.offset) + at;
            const auto size = std::min(k_sector - offset % k_sector, end - at);
            if (last || random() % 2 == 0) {
                write_at(content, static_cast<std::int64_t>(offset),
                         std::string_view(write.bytes).substr(at, size));
            }
            at += size;
        }
    }
    return content;
}

std::map<std::string, std::string> PowerDisk::after_failure(Survives survives,
                                                            std::mt19937& random) const {
    Folder folder = safe_;
    const auto count = survives == Survives::nothing ? 0
                       : survives == Survives::first ? random() % (unsynced_.size() + 1)
                                                     : unsynced_.size();
    for (std::size_t i = 0; i < count; ++i) {
        if (survives != Survives::some || random() % 2 == 0) apply(folder, unsynced_[i]);
    }
    std::map<std::string, std::string> files;
    for (const auto& [name, inode] : folder) files[name] = survivor(*inode, survives, random);
    return files;
}

}  // namespace paperclip::test

// In the place of the system's functions, for the whole process. Syncing is what a power failure
// makes a difference to, and none is coming.
extern "C" {

int fsync(int fd) {
    if (auto* recorder = paperclip::test::g_recorder.load()) recorder->synced(fd);
    return 0;
}

int fdatasync(int fd) {
    return fsync(fd);
}

int rename(const char* from, const char* to) noexcept {
    const auto real = [&] { return static_cast<int>(::syscall(SYS_rename, from, to)); };
    auto* recorder = paperclip::test::g_recorder.load();
    return recorder == nullptr ? real() : recorder->renamed(from, to, real);
}

int unlink(const char* path) noexcept {
    const auto real = [&] { return static_cast<int>(::syscall(SYS_unlink, path)); };
    auto* recorder = paperclip::test::g_recorder.load();
    return recorder == nullptr ? real() : recorder->removed(path, real);
}

int remove(const char* path) noexcept {
    const auto real = [&] {
        const auto done = ::syscall(SYS_unlink, path);
        return static_cast<int>(done != 0 && errno == EISDIR ? ::syscall(SYS_rmdir, path) : done);
    };
    auto* recorder = paperclip::test::g_recorder.load();
    return recorder == nullptr ? real() : recorder->removed(path, real);
}
}
