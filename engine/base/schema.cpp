#include "engine/base/schema.hpp"

namespace paperclip {
namespace {

void write_limits(JsonWriter& out, const Schema& schema) {
    const bool text = schema.type == "string";
    const bool list = schema.type == "array";
    if (schema.min) out.member(text ? "minLength" : list ? "minItems" : "minimum", *schema.min);
    if (schema.max) out.member(text ? "maxLength" : list ? "maxItems" : "maximum", *schema.max);
}

}  // namespace

Schema SchemaSet::refer(const std::string& name, const std::function<Schema()>& make) {
    // Known before its schema is made: a struct may contain itself.
    if (by_name_.try_emplace(name).second) {
        Schema schema = make();
        by_name_[name] = std::move(schema);
    }
    Schema reference;
    reference.ref = name;
    return reference;
}

void SchemaSet::write(JsonWriter& out, const Schema& schema) const {
    out.begin_object();
    // Neither a reference nor an enumeration can say "or null" by itself.
    if (schema.nullable && (!schema.ref.empty() || !schema.words.empty())) {
        Schema inner = schema;
        inner.nullable = false;
        out.key("anyOf").begin_array();
        write(out, inner);
        out.raw(R"({"type":"null"})").end_array().end_object();
        return;
    }
    if (!schema.any_of.empty()) {
        out.key("anyOf").begin_array();
        for (const Schema& one : schema.any_of) write(out, one);
        out.end_array();
        if (!schema.description.empty()) out.member("description", schema.description);
        out.end_object();
        return;
    }
    if (!schema.ref.empty()) {
        out.member("$ref", prefix_ + schema.ref);
        if (!schema.description.empty()) out.member("description", schema.description);
        out.end_object();
        return;
    }
    if (!schema.type.empty() && schema.nullable) {
        out.key("type").begin_array().value(schema.type).value("null").end_array();
    } else if (!schema.type.empty()) {
        out.member("type", schema.type);
    }
    if (!schema.words.empty()) {
        out.key("enum").begin_array();
        for (const auto word : schema.words) out.value(word);
        out.end_array();
    }
    if (!schema.format.empty()) out.member("format", schema.format);
    if (!schema.pattern.empty()) out.member("pattern", schema.pattern);
    if (!schema.description.empty()) out.member("description", schema.description);
    write_limits(out, schema);
    if (schema.items) write(out.key("items"), *schema.items);
    if (schema.values) write(out.key("additionalProperties"), *schema.values);
    if (!schema.key_pattern.empty()) {
        out.key("propertyNames").begin_object().member("pattern", schema.key_pattern).end_object();
    }
    if (!schema.properties.empty()) {
        out.key("properties").begin_object();
        for (const Schema& property : schema.properties) write(out.key(property.name), property);
        out.end_object();
    }
    if (!schema.required.empty()) {
        out.key("required").begin_array();
        for (const auto& name : schema.required) out.value(name);
        out.end_array();
    }
    if (schema.closed) out.member("additionalProperties", false);
    out.end_object();
}

void SchemaSet::write_all(JsonWriter& out) const {
    out.begin_object();
    for (const auto& [name, schema] : by_name_) write(out.key(name), schema);
    out.end_object();
}

}  // namespace paperclip
