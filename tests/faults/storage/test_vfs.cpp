#include "tests/faults/storage/test_vfs.hpp"

#include <atomic>
#include <new>

namespace paperclip::test {
namespace {

using Kind = FileCall::Kind;

std::atomic<FileHooks*> g_hooks{nullptr};

/// An open file: ours, then in the same memory the system's.
struct File {
    sqlite3_file base;
    std::string* path;
    sqlite3_file* real;
};

File& file_of(sqlite3_file* file) {
    return *reinterpret_cast<File*>(file);
}
sqlite3_file* real_of(sqlite3_file* file) {
    return file_of(file).real;
}
const sqlite3_io_methods& methods_of(sqlite3_file* file) {
    return *file_of(file).real->pMethods;
}

int hooked(const FileCall& call, const std::function<int()>& real) {
    FileHooks* hooks = g_hooks;
    return hooks == nullptr ? real() : hooks->call(call, real);
}

int close_file(sqlite3_file* file) {
    const int code = methods_of(file).xClose(real_of(file));
    delete file_of(file).path;
    file->pMethods = nullptr;
    return code;
}

int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
    return hooked({.kind = Kind::read, .path = *file_of(file).path, .offset = offset, .size = size},
                  [&] { return methods_of(file).xRead(real_of(file), out, size, offset); });
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    return hooked({.kind = Kind::write,
                   .path = *file_of(file).path,
                   .offset = offset,
                   .size = size,
                   .bytes = {static_cast<const char*>(bytes), static_cast<std::size_t>(size)}},
                  [&] { return methods_of(file).xWrite(real_of(file), bytes, size, offset); });
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return hooked({.kind = Kind::truncate, .path = *file_of(file).path, .size = size},
                  [&] { return methods_of(file).xTruncate(real_of(file), size); });
}

int sync(sqlite3_file* file, int flags) {
    return hooked({.kind = Kind::sync, .path = *file_of(file).path},
                  [&] { return methods_of(file).xSync(real_of(file), flags); });
}

int lock(sqlite3_file* file, int level) {
    return hooked({.kind = Kind::lock, .path = *file_of(file).path},
                  [&] { return methods_of(file).xLock(real_of(file), level); });
}

int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
    return hooked({.kind = Kind::map_shared, .path = *file_of(file).path},
                  [&] { return methods_of(file).xShmMap(real_of(file), page, size, extend, out); });
}

// What follows is let through as it comes.
int file_size(sqlite3_file* file, sqlite3_int64* size) {
    return methods_of(file).xFileSize(real_of(file), size);
}
int unlock(sqlite3_file* file, int level) {
    return methods_of(file).xUnlock(real_of(file), level);
}
int check_reserved(sqlite3_file* file, int* out) {
    return methods_of(file).xCheckReservedLock(real_of(file), out);
}
int control(sqlite3_file* file, int code, void* argument) {
    return methods_of(file).xFileControl(real_of(file), code, argument);
}
int sector_size(sqlite3_file* file) {
    return methods_of(file).xSectorSize(real_of(file));
}
int characteristics(sqlite3_file* file) {
    return methods_of(file).xDeviceCharacteristics(real_of(file));
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    return methods_of(file).xShmLock(real_of(file), offset, count, flags);
}
void shm_barrier(sqlite3_file* file) {
    methods_of(file).xShmBarrier(real_of(file));
}
int shm_unmap(sqlite3_file* file, int remove) {
    return methods_of(file).xShmUnmap(real_of(file), remove);
}
int fetch(sqlite3_file* file, sqlite3_int64 offset, int size, void** out) {
    return methods_of(file).xFetch(real_of(file), offset, size, out);
}
int unfetch(sqlite3_file* file, sqlite3_int64 offset, void* page) {
    return methods_of(file).xUnfetch(real_of(file), offset, page);
}

constexpr sqlite3_io_methods k_methods{3,
                                       close_file,
                                       read,
                                       write,
                                       truncate,
                                       sync,
                                       file_size,
                                       lock,
                                       unlock,
                                       check_reserved,
                                       control,
                                       sector_size,
                                       characteristics,
                                       shm_map,
                                       shm_lock,
                                       shm_barrier,
                                       shm_unmap,
                                       fetch,
                                       unfetch};

sqlite3_vfs* system_vfs() {
    static sqlite3_vfs* const vfs = sqlite3_vfs_find("unix");
    return vfs;
}

int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
    File& ours = file_of(file);
    ours.base.pMethods = nullptr;
    ours.real = reinterpret_cast<sqlite3_file*>(&ours + 1);
    const std::string path = name == nullptr ? "" : name;
    const int code = hooked({.kind = Kind::open, .path = path, .flags = flags}, [&] {
        return system_vfs()->xOpen(system_vfs(), name, ours.real, flags, out_flags);
    });
    if (code != SQLITE_OK) return code;
    ours.path = new std::string(path);
    ours.base.pMethods = &k_methods;
    return SQLITE_OK;
}

int remove(sqlite3_vfs*, const char* name, int sync_folder) {
    return hooked({.kind = Kind::remove, .path = name},
                  [&] { return system_vfs()->xDelete(system_vfs(), name, sync_folder); });
}

int sleep(sqlite3_vfs*, int microseconds) {
    if (FileHooks* hooks = g_hooks) {
        hooks->slept(microseconds);
        return microseconds;
    }
    return system_vfs()->xSleep(system_vfs(), microseconds);
}

void install() {
    static sqlite3_vfs vfs = [] {
        sqlite3_vfs copy = *system_vfs();
        copy.zName = "paperclip-test";
        copy.szOsFile = static_cast<int>(sizeof(File)) + system_vfs()->szOsFile;
        copy.pNext = nullptr;
        copy.xOpen = open;
        copy.xDelete = remove;
        copy.xSleep = sleep;
        return copy;
    }();
    sqlite3_vfs_register(&vfs, 1);
}

}  // namespace

HookedFiles::HookedFiles(FileHooks& hooks) {
    static const bool installed = (install(), true);
    static_cast<void>(installed);
    g_hooks = &hooks;
}

HookedFiles::~HookedFiles() {
    g_hooks = nullptr;
}

}  // namespace paperclip::test
