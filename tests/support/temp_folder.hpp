#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace paperclip::test {

/// A folder of a test's own, gone with it.
class TempFolder {
 public:
    TempFolder() {
        std::string name =
            (std::filesystem::temp_directory_path() / "paperclip-test-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
    std::filesystem::path path_;
};

}  // namespace paperclip::test
