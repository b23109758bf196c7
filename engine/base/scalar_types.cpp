#include "engine/base/described.hpp"
#include "engine/base/error.hpp"
#include "engine/base/nearest.hpp"
#include "engine/base/time.hpp"
#include "engine/base/utf8.hpp"

#include <charconv>

#include <boost/json.hpp>

namespace paperclip::detail {
namespace {

std::string quoted_list(const std::vector<std::string_view>& words) {
    std::string out;
    for (const auto word : words) {
        if (!out.empty()) out += '|';
        append_json_string(out, word);
    }
    return out;
}

/// What `node` is, for people: a short text in quotes, or its shape.
std::string found_in(const Node& node) {
    constexpr std::size_t k_shown = 80;
    if (!node.has_text()) return std::string(shape_name(node.shape()));
    return '"' + std::string(utf8_prefix(node.text(), k_shown)) + '"';
}

void expected(const Node& node, std::string_view what, Problems& problems) {
    Problem& problem = problems.add(node.mark(), "invalid_type",
                                    "Invalid input: expected " + std::string(what) + ", received " +
                                        std::string(shape_name(node.shape())),
                                    "\"expected\":\"" + std::string(what) + "\",");
    problem.expected = what;
    problem.found = found_in(node);
}

void bad_format(const Node& node, std::string_view format, std::string_view expected_text,
                Problems& problems) {
    Problem& problem =
        problems.add(node.mark(), "invalid_format", "Invalid " + std::string(expected_text),
                     "\"format\":\"" + std::string(format) + "\",");
    problem.expected = expected_text;
    problem.found = found_in(node);
}

template <class T>
T& as(void* value) {
    return *static_cast<T*>(value);
}
template <class T>
const T& as(const void* value) {
    return *static_cast<const T*>(value);
}

void append_integer(std::string& out, std::int64_t i) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, i).ptr);
}

class BoolType final : public Type {
 public:
    void write(std::string& out, const void* value) const override {
        out += as<bool>(value) ? "true" : "false";
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        if (expect_shape(node, Node::Shape::boolean, problems)) as<bool>(value) = node.boolean();
    }
    Value to_column(const void* value, std::string&) const override {
        return Value::integer(as<bool>(value) ? 1 : 0);
    }
    void from_column(const Value& column, void* value) const override {
        as<bool>(value) = column.as_integer() != 0;
    }
    [[nodiscard]] Schema schema(SchemaSet&) const override { return {.type = "boolean"}; }
};

template <class Int>
class IntegerType final : public Type {
 public:
    void write(std::string& out, const void* value) const override {
        append_integer(out, as<Int>(value));
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        if (node.shape() != Node::Shape::integer) return expected(node, "number", problems);
        const std::int64_t i = node.integer();
        if (i < std::numeric_limits<Int>::min() || i > std::numeric_limits<Int>::max()) {
            problems.add(node.mark(), "too_big", "Too big: expected a smaller number",
                         "\"origin\":\"number\",");
            return;
        }
        as<Int>(value) = static_cast<Int>(i);
    }
    Value to_column(const void* value, std::string&) const override {
        return Value::integer(as<Int>(value));
    }
    void from_column(const Value& column, void* value) const override {
        as<Int>(value) = static_cast<Int>(column.as_integer());
    }
    [[nodiscard]] Schema schema(SchemaSet&) const override { return {.type = "integer"}; }
};

class DoubleType final : public Type {
 public:
    void write(std::string& out, const void* value) const override {
        JsonWriter(out).value(as<double>(value));
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        const bool number =
            node.shape() == Node::Shape::number || node.shape() == Node::Shape::integer;
        number ? void(as<double>(value) = node.number()) : expected(node, "number", problems);
    }
    Value to_column(const void* value, std::string&) const override {
        return Value::real(as<double>(value));
    }
    void from_column(const Value& column, void* value) const override {
        as<double>(value) = column.as_real();
    }
    [[nodiscard]] Schema schema(SchemaSet&) const override { return {.type = "number"}; }
};

class StringType final : public Type {
 public:
    void write(std::string& out, const void* value) const override {
        append_json_string(out, as<std::string>(value));
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        if (!node.has_text()) return expected(node, "string", problems);
        const auto text = node.text();
        // SQLite's text functions stop at a NUL, and no client means one.
        if (text.find('\0') != std::string_view::npos) {
            problems.add(node.mark(), "invalid_format", "Invalid text: it contains a NUL character",
                         "\"format\":\"text\",");
            return;
        }
        as<std::string>(value) = text;
    }
    Value to_column(const void* value, std::string&) const override {
        return Value::text(as<std::string>(value));
    }
    void from_column(const Value& column, void* value) const override {
        as<std::string>(value) = column.as_text();
    }
    [[nodiscard]] Schema schema(SchemaSet&) const override { return {.type = "string"}; }
};

class IdType final : public Type {
 public:
    void write(std::string& out, const void* value) const override {
        out += '"';
        out += as<Id>(value).view();
        out += '"';
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        if (!node.has_text()) return expected(node, "string", problems);
        const auto id = Id::parse(node.text());
        id ? void(as<Id>(value) = *id) : bad_format(node, "uuid", "UUID", problems);
    }
    Value to_column(const void* value, std::string&) const override {
        return Value::text(as<Id>(value).view());
    }
    void from_column(const Value& column, void* value) const override {
        as<Id>(value) = Id::trusted(column.as_text());
    }
    [[nodiscard]] Schema schema(SchemaSet&) const override {
        return {.type = "string", .format = "uuid"};
    }
};

class TimeType final : public Type {
 public:
    void write(std::string& out, const void* value) const override {
        out += '"';
        append_iso8601(out, as<Time>(value));
        out += '"';
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        if (!node.has_text()) return expected(node, "string", problems);
        const auto time = parse_iso8601(node.text());
        time ? void(as<Time>(value) = *time)
             : bad_format(node, "datetime", "ISO datetime", problems);
    }
    Value to_column(const void* value, std::string&) const override {
        return Value::integer(as<Time>(value).time_since_epoch().count());
    }
    void from_column(const Value& column, void* value) const override {
        as<Time>(value) = Time{Duration{column.as_integer()}};
    }
    [[nodiscard]] Schema schema(SchemaSet&) const override {
        return {.type = "string", .format = "date-time"};
    }
};

class MoneyType final : public Type {
 public:
    void write(std::string& out, const void* value) const override {
        append_integer(out, as<Money>(value).to_cents());
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        if (node.shape() != Node::Shape::integer) return expected(node, "number", problems);
        constexpr std::int64_t limit = 100'000'000'000'000;  // a million million dollars
        if (node.integer() < 0 || node.integer() > limit) {
            problems.add(node.mark(), "too_big", "Out of range: expected cents from 0 to 10^14",
                         "\"origin\":\"number\",");
            return;
        }
        as<Money>(value) = Money::cents(node.integer());
    }
    Value to_column(const void* value, std::string&) const override {
        return Value::integer(as<Money>(value).micros);
    }
    void from_column(const Value& column, void* value) const override {
        as<Money>(value) = Money{column.as_integer()};
    }
    [[nodiscard]] Schema schema(SchemaSet&) const override { return {.type = "integer"}; }
};

class JsonType final : public Type {
 public:
    void write(std::string& out, const void* value) const override { out += as<Json>(value).text; }
    void read(const Node& node, void* value, Problems&) const override {
        as<Json>(value) = node.json();
    }
    Value to_column(const void* value, std::string&) const override {
        return Value::text(as<Json>(value).text);
    }
    void from_column(const Value& column, void* value) const override {
        as<Json>(value).text = column.as_text();
    }
    [[nodiscard]] Schema schema(SchemaSet&) const override { return {}; }
};

}  // namespace

bool expect_shape(const Node& node, Node::Shape shape, Problems& problems) {
    if (node.shape() == shape) return true;
    expected(node, shape_name(shape), problems);
    return false;
}

std::string camel_case(std::string_view snake) {
    std::string out;
    bool upper = false;
    for (const char c : snake) {
        if (c == '_') {
            upper = true;
        } else {
            out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
            upper = false;
        }
    }
    return out;
}

const Type& bool_type() {
    static const BoolType type;
    return type;
}
const Type& int_type() {
    static const IntegerType<int> type;
    return type;
}
const Type& int64_type() {
    static const IntegerType<std::int64_t> type;
    return type;
}
const Type& double_type() {
    static const DoubleType type;
    return type;
}
const Type& string_type() {
    static const StringType type;
    return type;
}
const Type& id_type() {
    static const IdType type;
    return type;
}
const Type& time_type() {
    static const TimeType type;
    return type;
}
const Type& money_type() {
    static const MoneyType type;
    return type;
}
const Type& json_type() {
    static const JsonType type;
    return type;
}

std::optional<std::size_t> EnumType::find(std::string_view word) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
        if (words_[i] == word) return i;
    }
    return std::nullopt;
}

void EnumType::write(std::string& out, const void* value) const {
    out += '"';
    out += words_[get(value)];
    out += '"';
}

void EnumType::read(const Node& node, void* value, Problems& problems) const {
    if (node.has_text()) {
        if (const auto position = find(node.text())) return set(value, *position);
    }
    std::string values = "\"values\":[";
    for (std::size_t i = 0; i < words_.size(); ++i) {
        if (i > 0) values += ',';
        append_json_string(values, words_[i]);
    }
    Problem& problem =
        problems.add(node.mark(), "invalid_value",
                     "Invalid option: expected one of " + quoted_list(words_), values + "],");
    problem.expected = "one of " + listed(words_);
    problem.found = found_in(node);
    if (node.has_text()) problem.likely = nearest(node.text(), words_).value_or("");
}

Value EnumType::to_column(const void* value, std::string&) const {
    return Value::text(words_[get(value)]);
}

void EnumType::from_column(const Value& column, void* value) const {
    const auto position = find(column.as_text());
    if (!position) {
        throw Error(ErrorKind::internal, "stored word \"" + std::string(column.as_text()) +
                                             "\" is none of " + quoted_list(words_));
    }
    set(value, *position);
}

Schema EnumType::schema(SchemaSet&) const {
    return {.type = "string", .words = words_};
}

void TextFormType::write(std::string& out, const void* value) const {
    append_json_string(out, format(value));
}

void TextFormType::read(const Node& node, void* value, Problems& problems) const {
    if (node.has_text() && parse(node.text(), value)) return;
    Problem& problem =
        problems.add(node.mark(), "invalid_format",
                     "Expected " + std::string(expected_) + ", found " + found_in(node));
    problem.expected = expected_;
    problem.found = found_in(node);
}

Value TextFormType::to_column(const void* value, std::string& scratch) const {
    scratch = format(value);
    return Value::text(scratch);
}

void TextFormType::from_column(const Value& column, void* value) const {
    if (!parse(column.as_text(), value)) {
        throw Error(ErrorKind::internal, "stored text \"" + std::string(column.as_text()) +
                                             "\" is not " + std::string(expected_));
    }
}

Schema TextFormType::schema(SchemaSet&) const {
    return {
        .type = "string", .pattern = std::string(pattern_), .description = std::string(expected_)};
}

Value ContainerType::to_column(const void* value, std::string& scratch) const {
    write(scratch, value);
    return Value::text(scratch);
}

void ContainerType::from_column(const Value& column, void* value) const {
    if (column.is_null()) return;
    const auto parsed = parse_json(column.as_text());
    Problems problems;
    read(JsonNode(parsed), value, problems);
    problems.throw_if_any();
}

}  // namespace paperclip::detail
