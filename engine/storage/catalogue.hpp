#pragma once

#include "engine/base/described.hpp"
#include "engine/storage/backend.hpp"
#include "engine/storage/sql_file.hpp"
#include "engine/storage/sql_text.hpp"

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace paperclip::storage {

/// The name of a statement in a .sql file, hashed when compiled: "issue.by_id"_sql. That every such
/// literal exists is checked by tests/structure.
struct StatementName {
    std::uint64_t hash;
    const char* text;
};
constexpr StatementName statement_name(const char* text, std::size_t size) {
    std::uint64_t hash = 14695981039346656037ull;  // FNV-1a
    for (std::size_t i = 0; i < size; ++i) {
        hash = (hash ^ static_cast<unsigned char>(text[i])) * 1099511628211ull;
    }
    return {hash, text};
}
consteval StatementName operator""_sql(const char* text, std::size_t size) {
    return statement_name(text, size);
}

/// A statement that the backend knows: what it is called and what it takes.
struct Statement {
    std::uint32_t id = 0;
    std::string name;
    std::vector<std::string> parameters;
    bool read = false;
};
using StatementPtr = std::shared_ptr<const Statement>;

/// Which parts of a template are wanted.
struct Composition {
    std::vector<std::string_view> parts;            ///< by name, whatever their slot
    std::string set;                                ///< for `{set}`: "title = :title, …"
    std::map<std::string_view, std::size_t> lists;  ///< how many values `:status...` has
};

/// All statements of the engine, read from the modules' .sql files. Built once at start, before the
/// store opens; thread-safe afterwards.
///
/// In a statement `{Issue}` stands for the columns of the described struct Issue as a select list
/// (`{Issue i}` prefixes them with `i.`), `{Issue.columns}` for its stored columns and
/// `{Issue.values}` for the parameters of the same names, either also without some of them
/// (`{Issue.columns but issue_number identifier}`).
class Catalogue {
 public:
    explicit Catalogue(std::string_view dialect) : dialect_(dialect) {}

    template <class T>
    void add_struct() {
        structs_[struct_of<T>().name()] = &struct_of<T>();
    }
    void add(const SqlModule& module);

    /// Hands all statements to the backend, which also gets those that are composed later.
    void publish(Backend& backend);

    [[nodiscard]] StatementPtr find(const StatementName& name) const;
    /// The statement that a template makes with these parts; remembered, the least recently used
    /// is forgotten beyond k_max_composed.
    StatementPtr compose(const StatementName& name, const Composition& composition);

    struct Migration {
        int version;
        std::string name;
        std::string_view script;
    };
    /// By version, ascending, no gaps.
    [[nodiscard]] const std::vector<Migration>& migrations() const { return migrations_; }
    /// Every statement and every template with all its parts, for tests that prepare them all.
    [[nodiscard]] std::vector<std::string> names() const;
    [[nodiscard]] const std::vector<SqlBlock>& templates() const { return templates_; }

    static constexpr std::size_t k_max_composed = 512;

 private:
    struct Composed {
        StatementPtr statement;
        std::list<std::string>::iterator use;
    };
    /// Ids that no composed statement uses any more; outlives the statements that return theirs.
    struct FreeIds {
        std::mutex mutex;
        std::vector<std::uint32_t> ids;
    };
    [[nodiscard]] std::string expand_struct(std::string_view placeholder,
                                            std::string_view where) const;
    [[nodiscard]] std::string expand_lists(std::string text, const Composition& composition) const;

    std::string dialect_;
    std::map<std::string, const StructType*, std::less<>> structs_;
    std::vector<Migration> migrations_;
    std::vector<SqlBlock> templates_;
    std::unordered_map<std::uint64_t, StatementPtr> statements_;
    std::unordered_map<std::uint64_t, std::size_t> template_index_;
    struct Text {
        StatementPtr statement;
        std::string sql;
    };
    std::vector<Text> texts_;  // of the named statements
    Backend* backend_ = nullptr;

    std::mutex compose_mutex_;
    std::unordered_map<std::string, Composed> composed_;
    std::list<std::string> by_use_;  // most recently used first
    std::uint32_t next_id_ = 1;
    std::shared_ptr<FreeIds> free_ids_ = std::make_shared<FreeIds>();
};

}  // namespace paperclip::storage
