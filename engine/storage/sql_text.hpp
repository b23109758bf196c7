#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::storage {

/// SQL whose parameters have been given positions.
struct PositionalSql {
    std::string text;
    std::vector<std::string> parameters;  ///< the name at each position, each name once
};

/// Rewrites `:name` to `?1` or, for "postgresql", `$1`; a name that returns has its first position.
/// Knows strings, quoted names, comments and PostgreSQL's `::` cast.
PositionalSql to_positional(std::string_view sql, std::string_view dialect);

/// Replaces each `{name}` outside of strings and comments by `expand(name)`, and comments by
/// nothing. `where` names the statement in errors.
std::string expand_braces(std::string_view sql, std::string_view where,
                          const std::function<std::string(std::string_view)>& expand);

/// A statement, or a template with its parts, as it stands in a .sql file:
///
///     -- name: goal.by_id
///     select {Goal} from goal where id = :id;
///
///     -- template: issue.list
///     select {Issue} from issue where company_id = :company_id {filter} {order} limit :limit;
///     -- part: filter.status
///     and status in (:status...)
///     -- part: order.newest
///     order by created_at desc
struct SqlBlock {
    struct Part {
        std::string slot;
        std::string name;
        std::string text;
    };
    std::string name;
    bool is_template = false;
    std::string text;  ///< without a closing semicolon
    std::vector<Part> parts;
};

/// The blocks of a .sql file. Throws Error{internal} naming file and line: these files are ours.
std::vector<SqlBlock> parse_sql_file(std::string_view stem, std::string_view text);

}  // namespace paperclip::storage
