#include "engine/base/json.hpp"

#include "engine/base/error.hpp"
#include "engine/base/time.hpp"
#include "engine/base/utf8.hpp"

#include <cmath>

#include <boost/json.hpp>

namespace paperclip {

Json Json::from(const boost::json::value& value) {
    return Json{boost::json::serialize(value)};
}

boost::json::value Json::parse() const {
    return parse_json(text, 512);
}

boost::json::value parse_json(std::string_view text, std::size_t max_depth) {
    boost::json::parse_options options;
    options.max_depth = max_depth;
    boost::json::stream_parser parser({}, options);
    boost::json::error_code error;
    const std::size_t read = parser.write_some(text.data(), text.size(), error);
    if (!error && read < text.size()) error = boost::json::error::extra_data;
    if (!error) parser.finish(error);
    if (error) {
        throw Error(ErrorKind::invalid,
                    "Malformed JSON at byte " + std::to_string(read) + ": " + error.message(),
                    "invalid_json");
    }
    return parser.release();
}

namespace {

/// Bytes that stand for themselves inside a JSON string.
constexpr bool is_plain(unsigned char c) {
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

void append_escaped(std::string& out, unsigned char c) {
    static constexpr char k_hex[] = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            out += "\\u00";
            out += k_hex[c >> 4];
            out += k_hex[c & 15];
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        const char* run = at;
        while (run < end && is_plain(static_cast<unsigned char>(*run))) ++run;
        out.append(at, run);
        at = run;
        if (at == end) break;
        if (static_cast<unsigned char>(*at) < 0x80) {
            append_escaped(out, static_cast<unsigned char>(*at++));
        } else if (const std::size_t n = utf8_sequence({at, end}); n > 0) {
            out.append(at, n);
            at += n;
        } else {
            out += "\xEF\xBF\xBD";
            ++at;
        }
    }
    out += '"';
}

JsonWriter& JsonWriter::value(double d) {
    if (!std::isfinite(d)) return null();
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, d).ptr;
    return raw({digits, static_cast<std::size_t>(end - digits)});
}

JsonWriter& JsonWriter::value(Time time) {
    comma();
    out_ += '"';
    append_iso8601(out_, time);
    out_ += '"';
    return *this;
}

}  // namespace paperclip
