#include "backup.hpp"
#include "store.hpp"

#include <Poco/Data/SQLite/Connector.h>

#include <boost/json/src.hpp>
#include <paperclip/cpp/plugin.hpp>

// The C face of the plugin: every function here only translates.

struct pc_store {
    paperclip::sqlite::Store store;
};

namespace paperclip::sqlite {
namespace {

constexpr std::string_view k_schema = R"({
  "type": "object",
  "required": ["path"],
  "additionalProperties": false,
  "properties": { "path": { "type": "string", "description": "The database file" } }
})";

std::filesystem::path path_of(pc_str config) {
    const auto parsed = boost::json::parse(sdk::view(config));
    const auto* path = parsed.is_object() ? parsed.get_object().if_contains("path") : nullptr;
    if (path == nullptr || !path->is_string() || path->get_string().empty()) {
        throw sdk::Failure(PC_INVALID, "storage-sqlite: expected {\"path\": \"FILE\"}");
    }
    return std::filesystem::absolute(std::string(path->get_string()));
}

pc_status config_schema(const pc_writer* out, pc_error*) {
    out->write(out->ctx, sdk::str(k_schema));
    return PC_OK;
}

/// Spares locks that nobody needs here: a connection has one thread at a time, and how much memory
/// SQLite has is not asked. Refused when the process used SQLite before; that only costs time.
void configure_sqlite() {
    static const bool once = [] {
        sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        return true;
    }();
    static_cast<void>(once);
}

pc_status open(pc_str config, pc_store** store, pc_error* error) {
    return sdk::guard(error, [&] {
        configure_sqlite();
        Poco::Data::SQLite::Connector::registerConnector();
        *store = new pc_store{Store(path_of(config))};
    });
}

void close(pc_store* store) {
    delete store;
}

pc_status catalogue(pc_store* store, const pc_statement* statements, uint32_t count,
                    pc_error* error) {
    return sdk::guard(error, [&] { store->store.catalogue(statements, count); });
}

pc_status submit(pc_store* store, const pc_unit* unit, pc_error* error) {
    return sdk::guard(error, [&]() -> pc_status {
        if (store->store.submit(*unit)) return PC_OK;
        sdk::set_error(error, "the store is closing");
        return PC_CLOSED;
    });
}

pc_status query(pc_store* store, const pc_query* query, pc_error* error) {
    return sdk::guard(error, [&] { store->store.query(*query); });
}

pc_status exec_script(pc_store* store, pc_str script, pc_error* error) {
    return sdk::guard(error, [&] { store->store.exec_script(std::string(sdk::view(script))); });
}

pc_status checkpoint(pc_store* store, pc_error* error) {
    return sdk::guard(error, [&] { store->store.checkpoint(); });
}

pc_status health(pc_store* store, const pc_writer* out, pc_error* error) {
    return sdk::guard(error, [&] {
        const std::string text = store->store.health();
        out->write(out->ctx, sdk::str(text));
    });
}

pc_status backup(pc_store* store, pc_str path, pc_error* error) {
    return sdk::guard(error, [&] { store->store.backup(sdk::view(path)); });
}

pc_status verify(pc_str path, pc_error* error) {
    return sdk::guard(error, [&] { verify_backup(sdk::view(path)); });
}

pc_status restore(pc_str config, pc_str path, pc_error* error) {
    return sdk::guard(error, [&] { restore_database(path_of(config), sdk::view(path)); });
}

constexpr pc_storage k_storage = {
    .struct_size = sizeof(pc_storage),
    .reserved = 0,
    .dialect = {"sqlite", 6},
    .limits = {.struct_size = sizeof(pc_storage_limits),
               .flags = PC_STORAGE_BACKUP,
               .max_parameters = 32'766,
               .max_steps = Store::k_max_steps},
    .config_schema = config_schema,
    .open = open,
    .close = close,
    .catalogue = catalogue,
    .submit = submit,
    .query = query,
    .exec_script = exec_script,
    .checkpoint = checkpoint,
    .health = health,
    .backup = backup,
    .verify = verify,
    .restore = restore,
};

const void* interface_of(pc_str id) {
    return sdk::view(id) == PC_STORAGE_INTERFACE ? &k_storage : nullptr;
}

}  // namespace
}  // namespace paperclip::sqlite

PAPERCLIP_PLUGIN("storage-sqlite", "0.1.0", paperclip::sqlite::interface_of)
