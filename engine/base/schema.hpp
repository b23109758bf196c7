#pragma once

#include "engine/base/json.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip {

/// A JSON Schema (the part of draft 2020-12 that our types need), as data.
struct Schema {
    std::string type;  ///< empty: any value
    bool nullable = false;
    std::string ref;  ///< name of a schema of the SchemaSet; the rest is then unused
    std::string format;
    std::string pattern;
    std::string description;
    std::vector<std::string_view> words;  ///< the values of an enumeration
    std::optional<std::int64_t> min;      ///< of a number's value, a text's or a list's length
    std::optional<std::int64_t> max;
    std::vector<Schema> any_of;            ///< one of these; the rest is then unused
    std::shared_ptr<const Schema> items;   ///< of a list
    std::shared_ptr<const Schema> values;  ///< of a map
    std::string key_pattern;               ///< of a map's keys
    std::string name;                      ///< as a property of another schema
    std::vector<Schema> properties;
    std::vector<std::string> required;
    bool closed = false;  ///< no other properties
};

/// The named schemas that a document refers to as `<prefix>Name`: OpenAPI's components, or `$defs`.
class SchemaSet {
 public:
    /// `strict`: of documents as Problems::Reading::strict takes them, instead of answers, which
    /// have all members.
    explicit SchemaSet(std::string prefix, bool strict = false)
        : prefix_(std::move(prefix)), strict_(strict) {}

    [[nodiscard]] bool strict() const { return strict_; }

    /// A reference to the schema called `name`, which `make` makes the first time.
    Schema refer(const std::string& name, const std::function<Schema()>& make);

    /// Appends `schema` as JSON.
    void write(JsonWriter& out, const Schema& schema) const;
    /// Appends `{"Name": …}` with all schemas that were referred to.
    void write_all(JsonWriter& out) const;

 private:
    std::string prefix_;
    bool strict_;
    std::map<std::string, Schema> by_name_;
};

}  // namespace paperclip
