#pragma once

#include "engine/base/id.hpp"
#include "engine/base/money.hpp"
#include "engine/base/type.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/core/type_name.hpp>
#include <boost/describe.hpp>
#include <boost/mp11.hpp>

// A resource is a described struct:
//
//     struct Goal { Id id; std::string title; std::optional<Id> parent_id; };
//     BOOST_DESCRIBE_STRUCT(Goal, (), (id, title, parent_id))
//     template <> struct Rules<Goal> {
//         static constexpr auto table = std::to_array<NamedRule>({
//             {"id", {.access = Access::engine}},
//             {"title", {.required = true, .min = 1}}});
//     };
//
// and JSON, rows, OpenAPI and JSON Schema follow from `struct_of<Goal>()`. Enumerations are
// described with BOOST_DESCRIBE_ENUM; their enumerators are the words of the wire (a trailing
// underscore, for words that C++ keeps, is dropped).

namespace paperclip {

/// The rules of a described struct's members; members without one have the default Rule.
template <class T>
struct Rules {
    static constexpr std::array<NamedRule, 0> table{};
};

/// A type with a text form of its own ("30m", "$5/month") specializes this:
///     static std::optional<T> parse(std::string_view);
///     static std::string format(const T&);
///     static constexpr std::string_view expected = "a length of time such as 30m or 2h";
///     static constexpr std::string_view pattern = "^…$";      // for JSON Schema
template <class T>
struct TextForm;

/// A type that has several forms in a document ("$5/month", or a list of those) specializes this:
///     static const Type& get();
template <class T>
struct OwnType;

template <class T>
const Type& type_of();
template <class T>
const StructType& struct_of();
template <class T>
void append_json(std::string& out, const T& value);

namespace detail {

template <class T>
concept Described = boost::describe::has_describe_members<T>::value;
template <class T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;
template <class T>
concept HasTextForm = requires(std::string_view s) {
    TextForm<T>::parse(s);
};

template <class T>
concept HasOwnType = requires {
    OwnType<T>::get();
};

template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public |
                                                         boost::describe::mod_inherited>;

std::string camel_case(std::string_view snake);
constexpr std::string_view enum_word(std::string_view enumerator) {
    return enumerator.ends_with('_') ? enumerator.substr(0, enumerator.size() - 1) : enumerator;
}

const Type& bool_type();
const Type& int_type();
const Type& int64_type();
const Type& double_type();
const Type& string_type();
const Type& id_type();
const Type& time_type();
const Type& money_type();
const Type& json_type();

/// The words of an enumeration; the position of a word is what EnumType::get and set exchange.
class EnumType : public Type {
 public:
    explicit EnumType(std::vector<std::string_view> words) : words_(std::move(words)) {}

    void write(std::string& out, const void* value) const override;
    void read(const Node& node, void* value, Problems& problems) const override;
    Value to_column(const void* value, std::string& scratch) const override;
    void from_column(const Value& column, void* value) const override;
    [[nodiscard]] Schema schema(SchemaSet& set) const override;

 protected:
    virtual std::size_t get(const void* value) const = 0;
    virtual void set(void* value, std::size_t position) const = 0;

 private:
    [[nodiscard]] std::optional<std::size_t> find(std::string_view word) const;
    std::vector<std::string_view> words_;
};

template <class E>
class EnumTypeOf final : public EnumType {
 public:
    EnumTypeOf() : EnumType(words()) {}

 protected:
    std::size_t get(const void* value) const override {
        for (std::size_t i = 0; i < values().size(); ++i) {
            if (values()[i] == *static_cast<const E*>(value)) return i;
        }
        return 0;
    }
    void set(void* value, std::size_t position) const override {
        *static_cast<E*>(value) = values()[position];
    }

 private:
    static std::vector<std::string_view> words() {
        std::vector<std::string_view> list;
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>(
            [&](auto d) { list.push_back(enum_word(d.name)); });
        return list;
    }
    static const std::vector<E>& values() {
        static const std::vector<E> list = [] {
            std::vector<E> l;
            boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>(
                [&](auto d) { l.push_back(d.value); });
            return l;
        }();
        return list;
    }
};

/// Types with a text form: a string in JSON, YAML and the database.
class TextFormType : public Type {
 public:
    TextFormType(std::string_view expected, std::string_view pattern)
        : expected_(expected), pattern_(pattern) {}

    void write(std::string& out, const void* value) const override;
    void read(const Node& node, void* value, Problems& problems) const override;
    Value to_column(const void* value, std::string& scratch) const override;
    void from_column(const Value& column, void* value) const override;
    [[nodiscard]] Schema schema(SchemaSet& set) const override;

 protected:
    virtual std::string format(const void* value) const = 0;
    virtual bool parse(std::string_view text, void* value) const = 0;

 private:
    std::string_view expected_;
    std::string_view pattern_;
};

template <class T>
class TextFormTypeOf final : public TextFormType {
 public:
    TextFormTypeOf() : TextFormType(TextForm<T>::expected, TextForm<T>::pattern) {}

 protected:
    std::string format(const void* value) const override {
        return TextForm<T>::format(*static_cast<const T*>(value));
    }
    bool parse(std::string_view text, void* value) const override {
        auto parsed = TextForm<T>::parse(text);
        if (parsed) *static_cast<T*>(value) = std::move(*parsed);
        return parsed.has_value();
    }
};

template <class T>
class OptionalType final : public Type {
    using Optional = std::optional<T>;

 public:
    void write(std::string& out, const void* value) const override {
        const auto& v = *static_cast<const Optional*>(value);
        v ? type_of<T>().write(out, &*v) : void(out += "null");
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        auto& v = *static_cast<Optional*>(value);
        if (node.shape() == Node::Shape::null && !problems.strict()) return v.reset();
        T inner{};
        const std::size_t before = problems.list().size();
        type_of<T>().read(node, &inner, problems);
        if (problems.list().size() == before) v = std::move(inner);
    }
    Value to_column(const void* value, std::string& scratch) const override {
        const auto& v = *static_cast<const Optional*>(value);
        return v ? type_of<T>().to_column(&*v, scratch) : Value{};
    }
    void from_column(const Value& column, void* value) const override {
        auto& v = *static_cast<Optional*>(value);
        column.is_null() ? v.reset() : type_of<T>().from_column(column, &v.emplace());
    }
    [[nodiscard]] Schema schema(SchemaSet& set) const override {
        Schema schema = type_of<T>().schema(set);
        schema.nullable = !set.strict();
        return schema;
    }
    [[nodiscard]] bool nullable() const override { return true; }
    [[nodiscard]] bool is_null(const void* value) const override {
        return !*static_cast<const Optional*>(value);
    }
    void clear(void* value) const override { static_cast<Optional*>(value)->reset(); }
};

/// A sequence or a map whose elements are of one type: an array or an object in JSON, and that
/// JSON as text in a column.
class ContainerType : public Type {
 public:
    Value to_column(const void* value, std::string& scratch) const override;
    void from_column(const Value& column, void* value) const override;
};

template <class T>
class ListType final : public ContainerType {
    using List = std::vector<T>;

 public:
    void write(std::string& out, const void* value) const override {
        char separator = '[';
        for (const T& item : *static_cast<const List*>(value)) {
            out += std::exchange(separator, ',');
            type_of<T>().write(out, &item);
        }
        out += separator == '[' ? "[]" : "]";
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        if (!expect_shape(node, Node::Shape::list, problems)) return;
        List list;
        node.each_item([&](std::size_t i, const Node& item) {
            const Problems::Scope scope(problems, std::to_string(i));
            type_of<T>().read(item, &list.emplace_back(), problems);
        });
        *static_cast<List*>(value) = std::move(list);
    }
    [[nodiscard]] Schema schema(SchemaSet& set) const override {
        Schema schema;
        schema.type = "array";
        schema.items = std::make_shared<const Schema>(type_of<T>().schema(set));
        return schema;
    }
};

template <class T>
class MapType final : public ContainerType {
    using Map = std::map<std::string, T>;

 public:
    void write(std::string& out, const void* value) const override {
        char separator = '{';
        for (const auto& [key, item] : *static_cast<const Map*>(value)) {
            out += std::exchange(separator, ',');
            append_json_string(out, key);
            out += ':';
            type_of<T>().write(out, &item);
        }
        out += separator == '{' ? "{}" : "}";
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        if (!expect_shape(node, Node::Shape::object, problems)) return;
        Map map;
        node.each_member([&](std::string_view key, const Node& item) {
            const Problems::Scope scope(problems, key);
            type_of<T>().read(item, &map[std::string(key)], problems);
        });
        *static_cast<Map*>(value) = std::move(map);
    }
    [[nodiscard]] Schema schema(SchemaSet& set) const override {
        Schema schema;
        schema.type = "object";
        schema.values = std::make_shared<const Schema>(type_of<T>().schema(set));
        return schema;
    }
};

/// One of several types, for answers: written as whichever it is, never read.
template <class... Ts>
class VariantType final : public ContainerType {
    using Variant = std::variant<Ts...>;

 public:
    void write(std::string& out, const void* value) const override {
        std::visit([&](const auto& v) { append_json(out, v); },
                   *static_cast<const Variant*>(value));
    }
    void read(const Node& node, void* /*value*/, Problems& problems) const override {
        problems.add(node.mark(), "invalid_type", "A value of several types cannot be read");
    }
    [[nodiscard]] Schema schema(SchemaSet& set) const override {
        Schema schema;
        (schema.any_of.push_back(type_of<Ts>().schema(set)), ...);
        return schema;
    }
};

template <class T>
struct TypeFor {
    static const Type& get() {
        static_assert(Described<T> || DescribedEnum<T> || HasTextForm<T> || HasOwnType<T>,
                      "describe the type, or give it a TextForm");
        if constexpr (HasOwnType<T>) {
            return OwnType<T>::get();
        } else if constexpr (HasTextForm<T>) {
            static const TextFormTypeOf<T> type;
            return type;
        } else if constexpr (DescribedEnum<T>) {
            static const EnumTypeOf<T> type;
            return type;
        } else {
            return struct_of<T>();
        }
    }
};
template <>
struct TypeFor<bool> {
    static const Type& get() { return bool_type(); }
};
template <>
struct TypeFor<int> {
    static const Type& get() { return int_type(); }
};
template <>
struct TypeFor<std::int64_t> {
    static const Type& get() { return int64_type(); }
};
template <>
struct TypeFor<double> {
    static const Type& get() { return double_type(); }
};
template <>
struct TypeFor<std::string> {
    static const Type& get() { return string_type(); }
};
template <>
struct TypeFor<Id> {
    static const Type& get() { return id_type(); }
};
template <>
struct TypeFor<Time> {
    static const Type& get() { return time_type(); }
};
template <>
struct TypeFor<Money> {
    static const Type& get() { return money_type(); }
};
template <>
struct TypeFor<Json> {
    static const Type& get() { return json_type(); }
};
template <class T>
struct TypeFor<std::optional<T>> {
    static const Type& get() {
        static const OptionalType<T> type;
        return type;
    }
};
template <class T>
struct TypeFor<std::vector<T>> {
    static const Type& get() {
        static const ListType<T> type;
        return type;
    }
};
template <class... Ts>
struct TypeFor<std::variant<Ts...>> {
    static const Type& get() {
        static const VariantType<Ts...> type;
        return type;
    }
};
template <class T>
struct TypeFor<std::map<std::string, T>> {
    static const Type& get() {
        static const MapType<T> type;
        return type;
    }
};

/// The Rule of the member called `name`, looked for in T and in its described bases.
template <class T>
constexpr const Rule* find_rule(std::string_view name) {
    for (const NamedRule& entry : Rules<T>::table) {
        if (entry.member == name) return &entry.rule;
    }
    const Rule* found = nullptr;
    boost::mp11::mp_for_each<boost::describe::describe_bases<T, boost::describe::mod_any_access>>(
        [&](auto base) {
            if (found == nullptr) found = find_rule<typename decltype(base)::type>(name);
        });
    return found;
}

template <class T>
constexpr bool rules_name_members() {
    bool all = true;
    for (const NamedRule& entry : Rules<T>::table) {
        bool found = false;
        boost::mp11::mp_for_each<Members<T>>(
            [&](auto d) { found = found || entry.member == std::string_view(d.name); });
        all = all && found;
    }
    return all;
}

template <class T>
StructType make_struct_type() {
    static_assert(rules_name_members<T>(), "a rule names a member that the struct does not have");
    static_assert(boost::mp11::mp_size<Members<T>>::value <= k_max_fields);
    const T probe{};
    std::vector<Field> fields;
    boost::mp11::mp_for_each<Members<T>>([&](auto d) {
        const auto& member = probe.*d.pointer;
        Field field;
        field.name = d.name;
        if (const Rule* rule = find_rule<T>(d.name)) field.rule = *rule;
        field.wire =
            field.rule.wire.empty() ? camel_case(enum_word(d.name)) : std::string(field.rule.wire);
        field.type = &type_of<std::remove_cvref_t<decltype(member)>>();
        field.offset =
            reinterpret_cast<const char*>(&member) - reinterpret_cast<const char*>(&probe);
        fields.push_back(std::move(field));
    });
    const std::string name = boost::core::type_name<T>();
    return StructType(name.substr(name.rfind(':') + 1), std::move(fields));
}

}  // namespace detail

template <class T>
const Type& type_of() {
    return detail::TypeFor<T>::get();
}

template <class T>
const StructType& struct_of() {
    static const StructType type = detail::make_struct_type<T>();
    return type;
}

/// Appends `value` as JSON.
template <class T>
void append_json(std::string& out, const T& value) {
    type_of<T>().write(out, &value);
}
template <class T>
std::string to_json(const T& value) {
    std::string out;
    append_json(out, value);
    return out;
}

/// The word of an enumerator, as on the wire.
template <detail::DescribedEnum E>
std::string_view word(E value) {
    std::string_view found;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
        if (d.value == value) found = detail::enum_word(d.name);
    });
    return found;
}
template <detail::DescribedEnum E>
std::optional<E> parse_word(std::string_view text) {
    std::optional<E> found;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
        if (detail::enum_word(d.name) == text) found = d.value;
    });
    return found;
}

/// A body: some members of a T, each absent, null or given. The same struct serves to create and
/// to patch.
template <class T>
class Patch {
 public:
    T value{};
    FieldSet present;  ///< given, null or not
    FieldSet null;     ///< given as null

    Patch() = default;
    /// Every member given: a whole value as a patch.
    static Patch whole(T value) {
        Patch patch;
        patch.value = std::move(value);
        for (std::size_t i = 0; i < struct_of<T>().fields().size(); ++i) patch.present.set(i);
        return patch;
    }

    template <class Base, class Member>
    [[nodiscard]] bool has(Member Base::*member) const {
        return present[index(member)];
    }
    /// Gives the member a value.
    template <class Base, class Member, class V>
    void set(Member Base::*member, V&& v) {
        value.*member = std::forward<V>(v);
        present.set(index(member));
        null.reset(index(member));
    }
    template <class Base, class Member>
    void drop(Member Base::*member) {
        present.reset(index(member));
        null.reset(index(member));
    }
    /// Copies the given members into `target`, nulls too.
    void apply_to(T& target) const {
        boost::mp11::mp_for_each<detail::Members<T>>([&, i = std::size_t{0}](auto d) mutable {
            if (present[i]) target.*d.pointer = value.*d.pointer;
            ++i;
        });
    }

 private:
    template <class Base, class Member>
    std::size_t index(Member Base::*member) const {
        return struct_of<T>().index_of(&value, &(value.*member));
    }
};

/// Reads a body that creates or patches a T. Throws Error{invalid} naming all that is wrong.
template <class T>
Patch<T> read_patch(const Node& node, StructType::Purpose purpose, bool strict = false) {
    Patch<T> patch;
    Problems problems;
    struct_of<T>().read_members(node, &patch.value, purpose, strict, patch.present, patch.null,
                                problems);
    problems.throw_if_any();
    return patch;
}

/// Reads a whole T (members without a value keep their default). Throws as read_patch().
template <class T>
T read_value(const Node& node, bool strict = false) {
    return read_patch<T>(node, StructType::Purpose::whole, strict).value;
}

/// The part of a patch that concerns the base struct.
template <class Base, class Derived>
Patch<Base> base_of(const Patch<Derived>& patch) {
    Patch<Base> base;
    base.value = patch.value;
    const auto& all = struct_of<Derived>().fields();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Field* field = struct_of<Base>().find_wire(all[i].wire);
        if (field == nullptr || !patch.present[i]) continue;
        const auto index = static_cast<std::size_t>(field - struct_of<Base>().fields().data());
        base.present.set(index);
        base.null.set(index, patch.null[i]);
    }
    return base;
}

/// The members that `patch` gives, as a JSON object: what the journal says of a change.
template <class T>
std::string changed_members(const Patch<T>& patch) {
    std::string out;
    JsonWriter writer(out);
    writer.begin_object();
    const auto& fields = struct_of<T>().fields();
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!patch.present[i] || !fields[i].rule.sent) continue;
        std::string value;
        fields[i].type->write(value, fields[i].in(static_cast<const void*>(&patch.value)));
        writer.key(fields[i].wire).raw(value);
    }
    writer.end_object();
    return out;
}

}  // namespace paperclip
