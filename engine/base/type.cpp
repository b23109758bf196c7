#include "engine/base/type.hpp"

#include "engine/base/error.hpp"
#include "engine/base/nearest.hpp"
#include "engine/base/time.hpp"
#include "engine/base/utf8.hpp"

#include <algorithm>

#include <boost/json.hpp>

namespace paperclip {
namespace {

bool is_color(std::string_view text) {
    return text.size() == 7 && text[0] == '#' &&
           std::all_of(text.begin() + 1, text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
}

/// The type decides, not the document: in YAML `title: 42` is a text of two characters.
bool is_number_type(const Type& type) {
    SchemaSet ignored("");
    const auto word = type.schema(ignored).type;
    return word == "integer" || word == "number";
}

}  // namespace

StructType::StructType(std::string name, std::vector<Field> fields)
    : name_(std::move(name)), fields_(std::move(fields)) {
    for (Field& field : fields_) {
        append_json_string(field.json_key, field.wire);
        field.json_key += ':';
        if (!columns_.empty()) columns_ += ", ";
        columns_ += field.rule.column.empty() ? field.name : field.rule.column;
    }
}

const Field* StructType::find_wire(std::string_view wire) const {
    const auto found = std::find_if(fields_.begin(), fields_.end(),
                                    [&](const Field& field) { return field.wire == wire; });
    return found == fields_.end() ? nullptr : &*found;
}

std::size_t StructType::index_of(const void* object, const void* member) const {
    const auto found = std::find_if(fields_.begin(), fields_.end(),
                                    [&](const Field& field) { return field.in(object) == member; });
    return static_cast<std::size_t>(found - fields_.begin());
}

void StructType::write_open(std::string& out, const void* value) const {
    char separator = '{';
    for (const Field& field : fields_) {
        if (!field.rule.sent) continue;
        if (field.rule.sparse && field.type->is_null(field.in(value))) continue;
        out += std::exchange(separator, ',');
        out += field.json_key;
        field.type->write(out, field.in(value));
    }
    if (separator == '{') out += '{';
}

void StructType::write(std::string& out, const void* value) const {
    write_open(out, value);
    out += '}';
}

void StructType::check_limits(const Field& field, const Node& node, Problems& problems) const {
    const Rule& rule = field.rule;
    if (node.shape() == Node::Shape::null) return;
    const bool is_list = node.shape() == Node::Shape::list;
    const bool is_number = !node.has_text() || is_number_type(*field.type);
    std::int64_t size = 0;
    if (is_list) {
        node.each_item([&](std::size_t, const Node&) { ++size; });
    } else if (is_number) {
        if (node.shape() != Node::Shape::integer) return;
        size = node.integer();
    } else {
        size = static_cast<std::int64_t>(utf8_length(node.text()));
    }
    const std::string origin = is_list ? "array" : is_number ? "number" : "string";
    const std::string unit = is_list ? " entries" : is_number ? "" : " characters";
    const auto fail = [&](const char* code, const char* word, const char* sign, const char* bound,
                          std::int64_t limit) {
        const std::string n = std::to_string(limit);
        problems.add(
            node.mark(), code,
            std::string(word) + ": expected " + origin + (is_number ? " to be " : " to have ") +
                sign + n + unit,
            "\"origin\":\"" + origin + "\",\"" + bound + "\":" + n + ",\"inclusive\":true,");
    };
    if (rule.min != Rule::k_none && size < rule.min) {
        fail("too_small", "Too small", ">=", "minimum", rule.min);
    } else if (rule.max != Rule::k_none && size > rule.max) {
        fail("too_big", "Too big", "<=", "maximum", rule.max);
    } else if (rule.format == "date" && !is_calendar_date(node.text())) {
        problems.add(node.mark(), "invalid_format", "Invalid date: expected YYYY-MM-DD",
                     "\"format\":\"date\",");
    } else if (rule.format == "color" && !is_color(node.text())) {
        problems.add(node.mark(), "invalid_format", "Invalid color: expected #rrggbb",
                     "\"format\":\"color\",");
    }
}

void StructType::unknown_key(std::string_view key, const Node& member, Problems& problems) const {
    Problem& problem = problems.add(member.key_mark(), "unrecognized_keys",
                                    "Unrecognized key: \"" + std::string(key) + "\"");
    std::vector<std::string_view> known;
    for (const Field& field : fields_) known.push_back(field.wire);
    problem.expected = "one of " + listed(known);
    problem.found = '"' + std::string(key) + '"';
    problem.likely = nearest(key, known).value_or("");
}

void StructType::read_members(const Node& node, void* value, Purpose purpose, bool strict,
                              FieldSet& present, FieldSet& null, Problems& problems) const {
    if (!detail::expect_shape(node, Node::Shape::object, problems)) return;
    node.each_member([&](std::string_view key, const Node& member) {
        const Field* field = find_wire(key);
        const bool settable =
            field != nullptr &&
            (purpose == Purpose::whole || field->rule.access == Access::writable ||
             (purpose == Purpose::create && field->rule.access == Access::on_create));
        const Problems::Scope scope(problems, key);
        if (!settable) {
            if (strict) unknown_key(key, member, problems);
            return;
        }
        const std::size_t before = problems.list().size();
        const bool null_is_fine = field->type->nullable() && !problems.strict();
        if (field->rule.format == "json-object" &&
            !(null_is_fine && member.shape() == Node::Shape::null) &&
            !detail::expect_shape(member, Node::Shape::object, problems)) {
            return;
        }
        field->type->read(member, field->in(value), problems);
        if (problems.list().size() != before) return;
        check_limits(*field, member, problems);
        const auto index = static_cast<std::size_t>(field - fields_.data());
        present.set(index);
        null.set(index, member.shape() == Node::Shape::null);
    });
    if (purpose == Purpose::patch) return;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (!fields_[i].rule.required || present[i]) continue;
        const bool tried = std::any_of(
            problems.list().begin(), problems.list().end(), [&](const Problem& problem) {
                return problem.path.size() == problems.path().size() + 1 &&
                       problem.path.back() == fields_[i].wire;
            });
        if (tried) continue;
        const Problems::Scope scope(problems, fields_[i].wire);
        SchemaSet ignored("");
        const auto schema = fields_[i].type->schema(ignored);
        const std::string expected = schema.type.empty() ? "value" : schema.type;
        Problem& problem =
            problems.add(node.mark(), "invalid_type",
                         "Invalid input: expected " + expected + ", received undefined",
                         "\"expected\":\"" + expected + "\",");
        problem.expected = expected;
        problem.found = "undefined";
    }
}

void StructType::from_row(const Value* row, std::size_t count, void* value) const {
    if (count < fields_.size()) {
        throw Error(ErrorKind::internal, "a row of " + std::to_string(count) +
                                             " columns was read as " + name_ + ", which has " +
                                             std::to_string(fields_.size()));
    }
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        fields_[i].type->from_column(row[i], fields_[i].in(value));
    }
}

void StructType::read(const Node& node, void* value, Problems& problems) const {
    FieldSet present;
    FieldSet null;
    read_members(node, value, Purpose::whole, problems.strict(), present, null, problems);
}

Value StructType::to_column(const void* value, std::string& scratch) const {
    write(scratch, value);
    return Value::text(scratch);
}

void StructType::from_column(const Value& column, void* value) const {
    if (column.is_null()) return;
    const auto parsed = parse_json(column.as_text());
    Problems problems;
    read(JsonNode(parsed), value, problems);
    problems.throw_if_any();
}

Schema StructType::body_schema(Purpose purpose, bool strict, SchemaSet& set) const {
    Schema body;
    body.type = "object";
    body.closed = strict;
    for (const Field& field : fields_) {
        const Rule& rule = field.rule;
        if (purpose == Purpose::whole && !rule.sent) continue;
        if (purpose != Purpose::whole && rule.access == Access::engine) continue;
        if (purpose == Purpose::patch && rule.access == Access::on_create) continue;
        Schema schema = field.type->schema(set);
        if (purpose != Purpose::whole) {
            if (rule.min != Rule::k_none) schema.min = rule.min;
            if (rule.max != Rule::k_none) schema.max = rule.max;
        }
        if (rule.format == "date") schema.format = rule.format;
        if (rule.format == "color") schema.pattern = "^#[0-9a-fA-F]{6}$";
        if (rule.format == "json-object") schema.type = "object";
        if (!rule.doc.empty()) schema.description = rule.doc;
        const bool must =
            purpose == Purpose::whole ? !rule.sparse : purpose == Purpose::create && rule.required;
        if (must) body.required.push_back(field.wire);
        schema.name = field.wire;
        body.properties.push_back(std::move(schema));
    }
    return body;
}

Schema StructType::schema(SchemaSet& set) const {
    const bool strict = set.strict();
    const Purpose purpose = strict ? Purpose::create : Purpose::whole;
    return set.refer(name_, [&] { return body_schema(purpose, strict, set); });
}

}  // namespace paperclip
