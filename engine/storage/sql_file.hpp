#pragma once

#include <cstddef>
#include <string_view>

namespace paperclip::storage {

/// One .sql file of a module, as the build embedded it.
struct SqlFile {
    std::string_view stem;
    std::string_view text;
};

/// The .sql files of one module. The build writes a function `<module>_sql()` that returns it.
struct SqlModule {
    template <std::size_t S, std::size_t M>
    SqlModule(std::string_view n, const SqlFile (&s)[S], const SqlFile (&m)[M])
        : name(n), statements(s), statement_count(S - 1), migrations(m), migration_count(M - 1) {}

    std::string_view name;
    const SqlFile* statements;
    std::size_t statement_count;
    const SqlFile* migrations;
    std::size_t migration_count;
};

}  // namespace paperclip::storage
