#pragma once

#include <cstdint>
#include <exception>
#include <paperclip/draft/storage.h>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace paperclip::check {

/// A promise was not kept.
class Failed : public std::exception {
 public:
    explicit Failed(std::string message) : message_(std::move(message)) {}
    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
    std::string message_;
};

/// A rule that does not apply to this storage.
class Skipped : public Failed {
 public:
    using Failed::Failed;
};

/// A store that did not open.
class NotOpened : public Failed {
 public:
    NotOpened(pc_status status, const std::string& message)
        : Failed("open: " + message), status_(status) {}
    [[nodiscard]] pc_status status() const { return status_; }

 private:
    pc_status status_;
};

/// A value that owns its bytes.
struct Blob {
    std::string bytes;
    bool operator==(const Blob&) const = default;
};
/// A value of a type that the interface does not know.
struct Unknown {
    bool operator==(const Unknown&) const = default;
};
using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob, Unknown>;
using Row = std::vector<Value>;

std::string to_text(const Value& value);
std::string to_text(const Row& row);
std::string status_name(pc_status status);

void expect(bool kept, const std::string& otherwise);
void expect_equal(const std::string& what, std::int64_t expected, std::int64_t found);
void expect_value(const std::string& what, const Value& expected, const Value& found);
void expect_rows(const std::string& what, const std::vector<Row>& expected,
                 const std::vector<Row>& found);

/// In the ABI's form, borrowing the bytes.
std::vector<pc_value> to_abi(const Row& row);
Row from_abi(const pc_value* values, std::uint32_t count);

void expect_status(const std::string& what, pc_status expected, pc_status found,
                   const std::string& message);
template <class Result>
void expect_status(const std::string& what, pc_status expected, const Result& result) {
    expect_status(what, expected, result.status, result.message);
}

}  // namespace paperclip::check
