#pragma once

#include "sdk/check/storage/storage_kit.hpp"
#include "tests/support/test_store.hpp"

#include <atomic>

namespace paperclip::test {

inline const pc_storage& sqlite_table() {
    static const auto* const table =
        sqlite_library().interface_of<pc_storage>(PC_STORAGE_INTERFACE);
    return *table;
}

/// The kit on SQLite files in a folder of its own.
class KitRun {
 public:
    explicit KitRun(double effort = PAPERCLIP_TEST_EFFORT) {
        options_.fresh = [this] {
            const auto name = "kit-" + std::to_string(++stores_) + ".db";
            return sqlite_config(folder_.path() / name);
        };
        options_.folder = folder_.path();
        options_.effort = effort;
    }
    KitRun(const KitRun&) = delete;
    KitRun& operator=(const KitRun&) = delete;
    [[nodiscard]] check::Options& options() { return options_; }

 private:
    TempFolder folder_;
    std::atomic<int> stores_{0};
    check::Options options_;
};

}  // namespace paperclip::test
