#include "engine/pluginhost/storage_plugin.hpp"

#include "engine/storage/store.hpp"

#include <vector>

namespace paperclip::pluginhost {
namespace {

using storage::Failure;
using storage::Outcome;

pc_str str(std::string_view text) {
    return {text.data(), text.size()};
}

Outcome outcome_of(pc_status status) {
    switch (status) {
        case PC_OK:
            return Outcome::ok;
        case PC_CONFLICT:
            return Outcome::conflict;
        case PC_CONSTRAINT:
            return Outcome::constraint;
        case PC_RETRY:
            return Outcome::retry;
        case PC_BUSY:
            return Outcome::closed;
        case PC_FULL:
            return Outcome::full;
        case PC_READ_ONLY:
            return Outcome::read_only;
        case PC_IO:
            return Outcome::io;
        case PC_CORRUPT:
            return Outcome::corrupt;
        case PC_TIMEOUT:
            return Outcome::timeout;
        case PC_CLOSED:
            return Outcome::closed;
        default:
            return Outcome::invalid;
    }
}

/// One error's place for a call, and what the call made of it.
class Call {
 public:
    Call() { error_.struct_size = sizeof error_; }
    pc_error* error() { return &error_; }
    [[nodiscard]] Failure result(pc_status status) const {
        if (status == PC_OK) return {};
        return {outcome_of(status), error_.message};
    }

 private:
    pc_error error_{};
};

pc_value to_c(const Value& value) {
    pc_value c{};
    c.type = static_cast<std::int32_t>(value.type());
    if (value.type() == Value::Type::integer) c.integer = value.as_integer();
    if (value.type() == Value::Type::real) c.real = value.as_real();
    c.bytes = str(value.as_text());
    return c;
}

Value from_c(const pc_value& c) {
    switch (c.type) {
        case PC_VALUE_INTEGER:
            return Value::integer(c.integer);
        case PC_VALUE_REAL:
            return Value::real(c.real);
        case PC_VALUE_TEXT:
            return Value::text({c.bytes.data, c.bytes.size});
        case PC_VALUE_BLOB:
            return Value::blob({c.bytes.data, c.bytes.size});
        default:
            return {};
    }
}
static_assert(static_cast<int>(Value::Type::blob) == PC_VALUE_BLOB);

std::vector<pc_value> to_c(std::span<const Value> values) {
    std::vector<pc_value> list;
    list.reserve(values.size());
    for (const auto& value : values) list.push_back(to_c(value));
    return list;
}

/// A row in the engine's form; the buffer is kept from row to row.
class RowBuffer {
 public:
    std::span<const Value> convert(const pc_value* values, std::uint32_t count) {
        row_.resize(count);
        for (std::uint32_t i = 0; i < count; ++i) row_[i] = from_c(values[i]);
        return row_;
    }

 private:
    std::vector<Value> row_;
};

/// A unit in the ABI's form; lives from submit() until done().
struct UnitCall {
    storage::UnitRequest& request;
    std::vector<std::vector<pc_value>> values;
    std::vector<pc_step> steps;
    pc_unit unit{};
    RowBuffer rows;

    explicit UnitCall(storage::UnitRequest& r) : request(r) {
        values.reserve(r.steps().size());
        for (const auto& step : r.steps()) {
            const auto& list = values.emplace_back(to_c(step.values));
            steps.push_back({sizeof(pc_step), step.statement, step.expect, list.data(),
                             static_cast<std::uint32_t>(list.size()), 0});
        }
        unit.struct_size = sizeof unit;
        unit.step_count = static_cast<std::uint32_t>(steps.size());
        unit.steps = steps.data();
        unit.id = str(r.id());
        unit.ctx = this;
        unit.row = [](void* ctx, std::uint32_t step, const pc_value* v, std::uint32_t n) {
            auto& self = *static_cast<UnitCall*>(ctx);
            self.request.row(step, self.rows.convert(v, n));
        };
        unit.done = [](void* ctx, pc_status status, std::uint32_t step, const pc_error* error) {
            const std::unique_ptr<UnitCall> self(static_cast<UnitCall*>(ctx));
            const bool told = status != PC_OK && PC_HAS(error, pc_error, message);
            self->request.done(outcome_of(status), step, told ? error->message : "");
        };
    }
};

struct QueryCall {
    const storage::QueryRequest& request;
    RowBuffer rows;
};

const pc_storage& table_of(const Library& library) {
    const auto* table = library.interface_of<pc_storage>(PC_STORAGE_INTERFACE);
    if (!PC_HAS(table, pc_storage, restore)) {
        throw Error(ErrorKind::unavailable, "plugin " + library.found().manifest.id +
                                                " offers no complete " PC_STORAGE_INTERFACE);
    }
    return *table;
}

}  // namespace

StoragePlugin::StoragePlugin(const Library& library, const std::string& config)
    : StoragePlugin(table_of(library), config) {}

StoragePlugin::StoragePlugin(const pc_storage& table, const std::string& config) : table_(table) {
    Call call;
    const Failure failure = call.result(table_.open(str(config), &store_, call.error()));
    if (failure.outcome != Outcome::ok) {
        throw storage::StorageError(failure.outcome, failure.message);
    }
}

StoragePlugin::~StoragePlugin() {
    table_.close(store_);
}

std::string_view StoragePlugin::dialect() const {
    return {table_.dialect.data, table_.dialect.size};
}

Failure StoragePlugin::catalogue(std::span<const storage::StatementText> statements) {
    std::vector<pc_statement> list;
    list.reserve(statements.size());
    for (const auto& statement : statements) {
        list.push_back({sizeof(pc_statement), statement.id, statement.read ? PC_STATEMENT_READ : 0u,
                        statement.parameter_count, str(statement.name), str(statement.sql)});
    }
    Call call;
    return call.result(table_.catalogue(store_, list.data(),
                                        static_cast<std::uint32_t>(list.size()), call.error()));
}

void StoragePlugin::submit(storage::UnitRequest& request) {
    auto unit = std::make_unique<UnitCall>(request);
    Call call;
    const pc_status status = table_.submit(store_, &unit->unit, call.error());
    if (status == PC_OK) {
        static_cast<void>(unit.release());  // done() deletes it, perhaps already has
        return;
    }
    const Failure failure = call.result(status);
    request.done(failure.outcome, 0, failure.message);
}

Failure StoragePlugin::query(const storage::QueryRequest& request) {
    const auto values = to_c(request.values);
    QueryCall state{request, {}};
    pc_query query{};
    query.struct_size = sizeof query;
    query.statement = request.statement;
    query.values = values.data();
    query.value_count = static_cast<std::uint32_t>(values.size());
    query.timeout_us = request.timeout_us;
    query.ctx = &state;
    query.row = [](void* ctx, const pc_value* v, std::uint32_t n) {
        auto& self = *static_cast<QueryCall*>(ctx);
        return self.request.row(self.rows.convert(v, n)) ? 0 : 1;
    };
    Call call;
    return call.result(table_.query(store_, &query, call.error()));
}

Failure StoragePlugin::exec_script(std::string_view script) {
    Call call;
    return call.result(table_.exec_script(store_, str(script), call.error()));
}

Failure StoragePlugin::checkpoint() {
    Call call;
    return call.result(table_.checkpoint(store_, call.error()));
}

Failure StoragePlugin::health(std::string& out) {
    pc_writer writer{sizeof(pc_writer), 0, &out, [](void* ctx, pc_str bytes) {
                         static_cast<std::string*>(ctx)->append(bytes.data, bytes.size);
                     }};
    Call call;
    return call.result(table_.health(store_, &writer, call.error()));
}

Failure StoragePlugin::backup(const std::filesystem::path& path) {
    Call call;
    return call.result(table_.backup(store_, str(path.native()), call.error()));
}

Failure StoragePlugin::verify(const Library& library, const std::filesystem::path& path) {
    Call call;
    return call.result(table_of(library).verify(str(path.native()), call.error()));
}

Failure StoragePlugin::restore(const Library& library, const std::string& config,
                               const std::filesystem::path& path) {
    Call call;
    return call.result(table_of(library).restore(str(config), str(path.native()), call.error()));
}

}  // namespace paperclip::pluginhost
