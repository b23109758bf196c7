#include "values.hpp"

#include <array>
#include <charconv>

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::check {
namespace {

std::string shorten(const std::string& bytes) {
    constexpr std::size_t k_shown = 40;
    if (bytes.size() <= k_shown) return "'" + bytes + "'";
    return "'" + bytes.substr(0, k_shown) + "…' of " + std::to_string(bytes.size()) + " bytes";
}

struct ToText {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const {
        std::array<char, 32> buffer{};
        const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                       std::chars_format::general);
        return "real " + std::string(buffer.data(), end.ptr);
    }
    std::string operator()(const std::string& value) const { return shorten(value); }
    std::string operator()(const Blob& value) const { return "blob " + shorten(value.bytes); }
    std::string operator()(Unknown) const { return "a value of an unknown type"; }
};

struct ToAbi {
    pc_value operator()(std::monostate) const { return {}; }
    pc_value operator()(std::int64_t value) const {
        pc_value out{};
        out.type = PC_VALUE_INTEGER;
        out.integer = value;
        return out;
    }
    pc_value operator()(double value) const {
        pc_value out{};
        out.type = PC_VALUE_REAL;
        out.real = value;
        return out;
    }
    pc_value operator()(const std::string& value) const { return bytes(PC_VALUE_TEXT, value); }
    pc_value operator()(const Blob& value) const { return bytes(PC_VALUE_BLOB, value.bytes); }
    pc_value operator()(Unknown) const {
        pc_value out{};
        out.type = 99;
        return out;
    }

    static pc_value bytes(std::int32_t type, const std::string& value) {
        pc_value out{};
        out.type = type;
        out.bytes = {value.empty() ? nullptr : value.data(), value.size()};
        return out;
    }
};

Value from_abi(const pc_value& value) {
    switch (value.type) {
        case PC_VALUE_NULL:
            return {};
        case PC_VALUE_INTEGER:
            return value.integer;
        case PC_VALUE_REAL:
            return value.real;
        case PC_VALUE_TEXT:
            return std::string(sdk::view(value.bytes));
        case PC_VALUE_BLOB:
            return Blob{std::string(sdk::view(value.bytes))};
        default:
            return Unknown{};
    }
}

}  // namespace

std::vector<pc_value> to_abi(const Row& row) {
    std::vector<pc_value> out;
    out.reserve(row.size());
    for (const Value& value : row) out.push_back(std::visit(ToAbi{}, value));
    return out;
}

Row from_abi(const pc_value* values, std::uint32_t count) {
    Row row;
    row.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) row.push_back(from_abi(values[i]));
    return row;
}

std::string to_text(const Value& value) {
    return std::visit(ToText{}, value);
}

std::string to_text(const Row& row) {
    std::string out = "(";
    for (const Value& value : row) out += (out.size() > 1 ? ", " : "") + to_text(value);
    return out + ")";
}

std::string status_name(pc_status status) {
    constexpr std::array<std::string_view, 14> k_names{
        "PC_OK",         "PC_ERROR",   "PC_UNSUPPORTED", "PC_INVALID",   "PC_CONFLICT",
        "PC_CONSTRAINT", "PC_RETRY",   "PC_FULL",        "PC_READ_ONLY", "PC_IO",
        "PC_CORRUPT",    "PC_TIMEOUT", "PC_CLOSED",      "PC_BUSY"};
    const auto index = static_cast<std::size_t>(status);
    return index < k_names.size() ? std::string(k_names[index])
                                  : "status " + std::to_string(status);
}

void expect(bool kept, const std::string& otherwise) {
    if (!kept) throw Failed(otherwise);
}

void expect_equal(const std::string& what, std::int64_t expected, std::int64_t found) {
    if (expected == found) return;
    throw Failed(what + ": expected " + std::to_string(expected) + ", found " +
                 std::to_string(found));
}

void expect_value(const std::string& what, const Value& expected, const Value& found) {
    if (expected == found) return;
    throw Failed(what + ": expected " + to_text(expected) + ", found " + to_text(found));
}

void expect_rows(const std::string& what, const std::vector<Row>& expected,
                 const std::vector<Row>& found) {
    expect_equal(what + ": number of rows", static_cast<std::int64_t>(expected.size()),
                 static_cast<std::int64_t>(found.size()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (expected[i] == found[i]) continue;
        throw Failed(what + ": row " + std::to_string(i) + ": expected " + to_text(expected[i]) +
                     ", found " + to_text(found[i]));
    }
}

void expect_status(const std::string& what, pc_status expected, pc_status found,
                   const std::string& message) {
    if (expected == found) return;
    throw Failed(what + ": expected " + status_name(expected) + ", found " + status_name(found) +
                 (message.empty() ? "" : " (" + message + ")"));
}

}  // namespace paperclip::check
