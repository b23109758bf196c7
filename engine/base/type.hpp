#pragma once

#include "engine/base/node.hpp"
#include "engine/base/schema.hpp"
#include "engine/base/value.hpp"

#include <bitset>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip {

/// How values of one C++ type are written as JSON, read from a document, stored in a column and
/// described in a JSON Schema: everything that the engine derives from a described struct goes
/// through here. Immutable; one object per type for the life of the process (`type_of<T>()`).
///
/// `void*` always points to an object of the C++ type that the Type stands for.
class Type {
 public:
    virtual ~Type() = default;

    /// Appends the value as JSON.
    virtual void write(std::string& out, const void* value) const = 0;
    /// Sets the value from `node`, or adds to `problems` and leaves it alone.
    virtual void read(const Node& node, void* value, Problems& problems) const = 0;
    /// The value as a statement parameter. It may borrow from `value` and from `scratch`.
    virtual Value to_column(const void* value, std::string& scratch) const = 0;
    /// Sets the value from a column that to_column() once wrote.
    virtual void from_column(const Value& column, void* value) const = 0;
    /// Its JSON Schema (draft 2020-12); structs are put into `set` and referred to.
    [[nodiscard]] virtual Schema schema(SchemaSet& set) const = 0;

    [[nodiscard]] virtual bool nullable() const { return false; }
    [[nodiscard]] virtual bool is_null(const void* /*value*/) const { return false; }
    /// Sets a nullable value to null.
    virtual void clear(void* /*value*/) const {}
};

/// Who sets a member of a resource.
enum class Access : std::uint8_t {
    writable,   ///< the caller, when creating and when patching
    on_create,  ///< the caller, when creating only
    engine,     ///< the engine alone: in answers, never taken from a body
};

/// What a member list cannot say of a member.
struct Rule {
    static constexpr std::int64_t k_none = std::numeric_limits<std::int64_t>::min();

    Access access = Access::writable;
    bool required = false;         ///< must be given on creation
    std::int64_t min = k_none;     ///< least length of a text or list, least value of a number
    std::int64_t max = k_none;     ///< greatest, likewise
    std::string_view format = {};  ///< "date", "color" (#rrggbb) or "json-object"
    std::string_view wire = {};    ///< its name outside, when that is not the member in camelCase
    std::string_view column = {};  ///< SQL that yields it, when it is not a column of that name
    bool sent = true;              ///< false: a column that never leaves the engine
    bool sparse = false;           ///< left out of answers while it is null
    std::string_view doc = {};     ///< one line for the generated references
};

struct NamedRule {
    std::string_view member;
    Rule rule;
};

/// One member of a described struct.
struct Field {
    std::string_view name;  ///< of the member, and of the column
    std::string wire;       ///< its name in JSON and YAML
    std::string json_key;   ///< `"wire":`
    const Type* type = nullptr;
    std::ptrdiff_t offset = 0;
    Rule rule;

    [[nodiscard]] const void* in(const void* object) const {
        return static_cast<const char*>(object) + offset;
    }
    [[nodiscard]] void* in(void* object) const { return static_cast<char*>(object) + offset; }
};

constexpr std::size_t k_max_fields = 128;
using FieldSet = std::bitset<k_max_fields>;

/// A described struct: an object in JSON and YAML, a row in the database.
class StructType final : public Type {
 public:
    /// What a body is read for: which members it may set, and whether required ones must be there.
    enum class Purpose { create, patch, whole };

    StructType(std::string name, std::vector<Field> fields);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
    [[nodiscard]] const Field* find_wire(std::string_view wire) const;
    /// The index of the member at `member` inside the object at `object`.
    [[nodiscard]] std::size_t index_of(const void* object, const void* member) const;

    void write(std::string& out, const void* value) const override;
    /// As write(), but without the closing brace, for answers that add members of their own.
    void write_open(std::string& out, const void* value) const;

    /// Reads the members that `purpose` allows and marks them in `present`; marks those given as
    /// null in `null`. Unknown members are dropped, or are problems when `strict`.
    void read_members(const Node& node, void* value, Purpose purpose, bool strict,
                      FieldSet& present, FieldSet& null, Problems& problems) const;

    /// "a, b, c": the columns that a row of this struct is read from, in the members' order.
    [[nodiscard]] const std::string& columns() const { return columns_; }
    void from_row(const Value* row, std::size_t count, void* value) const;

    void read(const Node& node, void* value, Problems& problems) const override;
    Value to_column(const void* value, std::string& scratch) const override;
    void from_column(const Value& column, void* value) const override;
    [[nodiscard]] Schema schema(SchemaSet& set) const override;
    /// The schema of a body that creates (`required` members must be there) or patches.
    [[nodiscard]] Schema body_schema(Purpose purpose, bool strict, SchemaSet& set) const;

 private:
    void check_limits(const Field& field, const Node& node, Problems& problems) const;
    void unknown_key(std::string_view key, const Node& member, Problems& problems) const;

    std::string name_;
    std::vector<Field> fields_;
    std::string columns_;
};

namespace detail {
/// Adds the problem "expected …, received …" unless `node` has that shape.
bool expect_shape(const Node& node, Node::Shape shape, Problems& problems);
}  // namespace detail

}  // namespace paperclip
