#include "engine/storage/unit.hpp"

#include "engine/base/error.hpp"

#include <algorithm>

namespace paperclip::storage {
namespace {

Error missing(const Statement& statement, const std::string& parameter) {
    return Error(ErrorKind::internal, statement.name + ": no value for :" + parameter);
}

const Arg* find_arg(std::span<const Arg> args, std::string_view name) {
    const auto found =
        std::find_if(args.begin(), args.end(), [&](const Arg& arg) { return arg.name == name; });
    return found == args.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Value> bind(const Statement& statement, std::span<const Arg> args) {
    std::vector<Value> values;
    values.reserve(statement.parameters.size());
    for (const auto& parameter : statement.parameters) {
        const Arg* arg = find_arg(args, parameter);
        if (arg == nullptr) throw missing(statement, parameter);
        values.push_back(arg->value);
    }
    return values;
}

Unit::Added& Unit::Added::expect(std::int64_t rows) {
    unit_.steps_[index_].expect = rows;
    return *this;
}
Unit::Added& Unit::Added::otherwise(std::function<void()> explain) {
    unit_.steps_[index_].otherwise = std::move(explain);
    return *this;
}
Unit::Added& Unit::Added::taken(std::function<void()> explain) {
    unit_.steps_[index_].taken = std::move(explain);
    return *this;
}
Unit::Added& Unit::Added::each(std::function<void(Row)> visit) {
    unit_.steps_[index_].each = std::move(visit);
    return *this;
}

Value Unit::keep(const Value& value) {
    const bool text = value.type() == Value::Type::text;
    if (!text && value.type() != Value::Type::blob) return value;
    const auto& copy = kept_.emplace_back(value.as_text());
    return text ? Value::text(copy) : Value::blob(copy);
}

Unit::Added Unit::add_values(const StatementPtr& statement, std::vector<Value> values) {
    for (auto& value : values) value = keep(value);
    steps_.push_back({.statement = statement, .values = std::move(values)});
    return {*this, steps_.size() - 1};
}

Unit::Added Unit::add(const StatementPtr& statement, std::span<const Arg> args) {
    return add_values(statement, bind(*statement, args));
}

Unit::Added Unit::add_struct(const StatementPtr& statement, const StructType& type, const void* row,
                             Args args) {
    const auto& fields = type.fields();
    const auto& parameters = statement->parameters;
    std::vector<std::string> scratch(parameters.size());
    std::vector<Value> values(parameters.size());
    // Inserts name the members in order, so the next one is looked for where the last was found.
    std::size_t hint = 0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const std::string& name = parameters[i];
        if (const Arg* arg = find_arg({args.begin(), args.size()}, name)) {
            values[i] = arg->value;
            continue;
        }
        std::size_t tried = 0;
        while (tried < fields.size() && fields[hint % fields.size()].name != name) ++hint, ++tried;
        if (tried == fields.size()) throw missing(*statement, name);
        const Field& field = fields[hint++ % fields.size()];
        values[i] = field.type->to_column(field.in(row), scratch[i]);
    }
    return add_values(statement, std::move(values));
}

Unit::Added Unit::add_set(const StatementName& name, const StructType& type, const void* row,
                          const FieldSet& present, std::vector<std::string_view> parts, Args args) {
    Composition composition{.parts = std::move(parts)};
    const auto& fields = type.fields();
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!present[i] || !fields[i].rule.column.empty()) continue;
        if (!composition.set.empty()) composition.set += ", ";
        composition.set.append(fields[i].name).append(" = :").append(fields[i].name);
    }
    return add_struct(catalogue_.compose(name, composition), type, row, args);
}

}  // namespace paperclip::storage
