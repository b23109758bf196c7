#pragma once

#include "engine/base/clock.hpp"

#include <charconv>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace paperclip {

/// A free-form JSON value kept as its text: stored, sent and handed to plugins without being taken
/// apart. Always well-formed; the default is `{}`.
struct Json {
    std::string text = "{}";

    /// `text` must be well-formed JSON (it comes from our own writer or database).
    static Json trusted(std::string text) { return Json{std::move(text)}; }
    static Json from(const boost::json::value& value);
    [[nodiscard]] boost::json::value parse() const;

    friend bool operator==(const Json&, const Json&) = default;
};

/// Parses a document from outside: UTF-8, at most `max_depth` deep, nothing after it. Throws
/// Error{invalid} that names the byte where it went wrong.
boost::json::value parse_json(std::string_view text, std::size_t max_depth = 64);

/// Appends `text` with quotes and escapes. Bytes that are not UTF-8 become U+FFFD, so that what we
/// send can always be parsed.
void append_json_string(std::string& out, std::string_view text);

/// Writes one JSON object or array into a string, member after member.
///
///     JsonWriter w(out);
///     w.begin_object().member("id", id.view()).member("count", 3).end_object();
class JsonWriter {
 public:
    explicit JsonWriter(std::string& out) noexcept : out_(out) {}

    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& end_array() { return close(']'); }

    JsonWriter& key(std::string_view name) {
        comma();
        append_json_string(out_, name);
        out_ += ':';
        fresh_ = true;
        return *this;
    }
    JsonWriter& value(std::string_view text) {
        comma();
        append_json_string(out_, text);
        return *this;
    }
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(bool b) { return raw(b ? "true" : "false"); }
    JsonWriter& value(std::int64_t i) {
        char digits[24];
        return raw(
            {digits, static_cast<std::size_t>(std::to_chars(digits, digits + 24, i).ptr - digits)});
    }
    JsonWriter& value(int i) { return value(static_cast<std::int64_t>(i)); }
    JsonWriter& value(std::uint64_t i) { return value(static_cast<std::int64_t>(i)); }
    JsonWriter& value(double d);
    JsonWriter& value(Time time);
    JsonWriter& value(const Json& json) { return raw(json.text); }
    JsonWriter& null() { return raw("null"); }
    /// Appends `json` as it is: it must be one well-formed value.
    JsonWriter& raw(std::string_view json) {
        comma();
        out_ += json;
        return *this;
    }

    template <class T>
    JsonWriter& member(std::string_view name, const T& v) {
        return key(name).value(v);
    }

 private:
    JsonWriter& open(char c) {
        comma();
        out_ += c;
        fresh_ = true;
        return *this;
    }
    JsonWriter& close(char c) {
        out_ += c;
        fresh_ = false;
        return *this;
    }
    void comma() {
        if (!fresh_) out_ += ',';
        fresh_ = false;
    }

    std::string& out_;
    bool fresh_ = true;
};

}  // namespace paperclip
