#include "engine/base/log.hpp"
#include "engine/storage/store.hpp"

namespace paperclip::storage {
namespace {

constexpr std::uint32_t k_version_statement = 0;  // before the catalogue's ids, which start at 1

void must(const Failure& failure, const std::string& what) {
    if (failure.outcome != Outcome::ok) {
        throw StorageError(failure.outcome, what + ": " + failure.message);
    }
}

int current_version(Backend& backend) {
    must(backend.exec_script("create table if not exists schema_version ("
                             "version integer primary key, name text not null)"),
         "schema_version");
    const StatementText text{k_version_statement, "schema.version",
                             "select coalesce(max(version), 0) from schema_version", 0, true};
    must(backend.catalogue({&text, 1}), "schema.version");
    int version = 0;
    must(backend.query({k_version_statement,
                        {},
                        0,
                        [&](Row row) {
                            version = static_cast<int>(row[0].as_integer());
                            return true;
                        }}),
         "schema.version");
    return version;
}

int newest_version(const Catalogue& catalogue) {
    const auto& migrations = catalogue.migrations();
    return migrations.empty() ? 0 : migrations.back().version;
}

}  // namespace

int known_version(Backend& backend, const Catalogue& catalogue) {
    const int found = current_version(backend);
    const int newest = newest_version(catalogue);
    if (found <= newest) return found;
    throw StorageError(Outcome::invalid,
                       "the data was written by a newer engine (schema " + std::to_string(found) +
                           ", this engine knows " + std::to_string(newest) +
                           "); use that engine, or restore a backup from before the upgrade");
}

int migrate(Backend& backend, Catalogue& catalogue, const std::function<void(int from)>& snapshot) {
    const int before = known_version(backend, catalogue);
    const int newest = newest_version(catalogue);
    if (before > 0 && before < newest && snapshot) snapshot(before);
    for (const auto& migration : catalogue.migrations()) {
        if (migration.version <= before) continue;
        std::string script(migration.script);
        script += "\n;insert into schema_version (version, name) values (" +
                  std::to_string(migration.version) + ", '" + migration.name + "');";
        must(backend.exec_script(script), "migration " + migration.name);
        log_info("schema migrated", {{"migration", migration.name}});
    }
    return before;
}

}  // namespace paperclip::storage
