#pragma once

#include "engine/base/described.hpp"
#include "engine/storage/catalogue.hpp"

#include <concepts>
#include <deque>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::storage {

/// A parameter of a statement by its name: `{"status", word(status)}`. What it refers to must live
/// until the call that takes it returns.
struct Arg {
    Arg(std::string_view n, std::string_view v) : name(n), value(Value::text(v)) {}
    Arg(std::string_view n, const std::string& v) : name(n), value(Value::text(v)) {}
    Arg(std::string_view n, const char* v) : name(n), value(Value::text(v)) {}
    Arg(std::string_view n, const Id& v) : name(n), value(Value::text(v.view())) {}
    Arg(std::string_view n, const Json& v) : name(n), value(Value::text(v.text)) {}
    Arg(std::string_view n, Time v) : Arg(n, v.time_since_epoch().count()) {}
    Arg(std::string_view n, Money v) : Arg(n, v.micros) {}
    Arg(std::string_view n, double v) : name(n), value(Value::real(v)) {}
    template <std::integral I>
    Arg(std::string_view n, I v) : name(n), value(Value::integer(static_cast<std::int64_t>(v))) {}
    template <detail::DescribedEnum E>
    Arg(std::string_view n, E v) : name(n), value(Value::text(word(v))) {}
    template <class T>
    Arg(std::string_view n, const std::optional<T>& v)
        : name(n), value(v ? Arg(n, *v).value : Value{}) {}
    Arg(std::string_view n, std::nullopt_t) : name(n) {}
    Arg(std::string_view n, const Value& v) : name(n), value(v) {}

    std::string_view name;
    Value value;
};
using Args = std::initializer_list<Arg>;

/// The values of a statement's parameters, in order. Borrows what the args borrow. Throws
/// Error{internal} when one is missing.
std::vector<Value> bind(const Statement& statement, std::span<const Arg> args);

/// A row that a query or a step returned; borrowed for the callback.
using Row = std::span<const Value>;

/// Reads a row as a described struct.
template <class T>
T row_as(Row row) {
    T value;
    struct_of<T>().from_row(row.data(), row.size(), &value);
    return value;
}

/// A change of state: steps that are applied together or not at all. Built by the services, each
/// adding its steps, on one thread; submitted once by Store::submit().
class Unit {
 public:
    /// A handle on the step that was added last.
    class Added {
     public:
        Added(Unit& unit, std::size_t index) : unit_(unit), index_(index) {}
        /// How many rows the step must change; 1 unless said.
        Added& expect(std::int64_t rows);
        Added& any() { return expect(k_any_rows); }
        /// Throws what a failed guard means to the caller. It may read the store to find out.
        Added& otherwise(std::function<void()> explain);
        /// As otherwise(), for a constraint of the schema, such as a unique name.
        Added& taken(std::function<void()> explain);
        /// Called for each row that the step returned, when the unit has succeeded, on the thread
        /// that submitted it.
        Added& each(std::function<void(Row)> visit);
        template <class T>
        Added& into(T& target) {
            return each([&target](Row row) { target = row_as<T>(row); });
        }

     private:
        Unit& unit_;
        std::size_t index_;
    };

    explicit Unit(Catalogue& catalogue) : catalogue_(catalogue) {}

    Added add(const StatementName& name, Args args) {
        return add(catalogue_.find(name), std::span<const Arg>(args.begin(), args.size()));
    }
    Added add(const StatementPtr& statement, std::span<const Arg> args);
    /// Parameters from the members of a described struct by their names, further ones from `args`.
    template <class T>
    Added add_row(const StatementName& name, const T& row, Args args = {}) {
        return add_struct(catalogue_.find(name), struct_of<T>(), &row, args);
    }
    /// A template's `{set}` and its parameters from the members that `patch` gives.
    template <class T>
    Added add_patch(const StatementName& name, const Patch<T>& patch,
                    std::vector<std::string_view> parts, Args args) {
        return add_set(name, struct_of<T>(), &patch.value, patch.present, std::move(parts), args);
    }

    /// Runs after the unit is durable, on the thread that submitted it; for hints that wake
    /// something, never for state.
    void after(std::function<void()> hint) { after_.push_back(std::move(hint)); }

    /// Makes the unit apply at most once under that name, however often it is submitted within an
    /// hour.
    void set_id(std::string id) { id_ = std::move(id); }

    [[nodiscard]] bool empty() const { return steps_.empty(); }
    [[nodiscard]] std::size_t size() const { return steps_.size(); }
    [[nodiscard]] Catalogue& catalogue() const { return catalogue_; }

 private:
    friend class Store;
    struct StepData {
        StatementPtr statement;
        std::int64_t expect = 1;
        std::vector<Value> values;
        std::function<void()> otherwise;
        std::function<void()> taken;
        std::function<void(Row)> each;
    };
    Added add_struct(const StatementPtr& statement, const StructType& type, const void* row,
                     Args args);
    Added add_set(const StatementName& name, const StructType& type, const void* row,
                  const FieldSet& present, std::vector<std::string_view> parts, Args args);
    Added add_values(const StatementPtr& statement, std::vector<Value> values);
    Value keep(const Value& value);

    Catalogue& catalogue_;
    std::vector<StepData> steps_;
    std::deque<std::string> kept_;  // what the values point to
    std::string id_;
    std::vector<std::function<void()>> after_;
};

}  // namespace paperclip::storage
