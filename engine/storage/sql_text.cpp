#include "engine/storage/sql_text.hpp"

#include "engine/base/error.hpp"

#include <algorithm>
#include <cctype>

namespace paperclip::storage {
namespace {

bool is_name_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The length of the string, quoted name or comment at the front of `sql`, or 0.
std::size_t opaque_length(std::string_view sql) {
    if (sql.starts_with("--")) return std::min(sql.find('\n'), sql.size());
    if (sql.starts_with("/*")) {
        const auto end = sql.find("*/", 2);
        return end == std::string_view::npos ? sql.size() : end + 2;
    }
    const char quote = sql.front();
    if (quote != '\'' && quote != '"') return 0;
    std::size_t at = 1;
    while (at < sql.size()) {
        if (sql[at++] != quote) continue;
        if (at == sql.size() || sql[at] != quote) return at;
        ++at;  // a doubled quote stands for itself
    }
    return sql.size();
}

bool is_comment(std::string_view sql) {
    return sql.starts_with("--") || sql.starts_with("/*");
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

[[noreturn]] void fail(std::string_view stem, std::size_t line, const std::string& what) {
    throw Error(ErrorKind::internal,
                std::string(stem) + ".sql:" + std::to_string(line) + ": " + what);
}

void finish(std::string& text) {
    auto body = trim(text);
    while (body.ends_with(';')) body = trim(body.substr(0, body.size() - 1));
    text = std::string(body);
}

}  // namespace

PositionalSql to_positional(std::string_view sql, std::string_view dialect) {
    const char sigil = dialect == "postgresql" ? '$' : '?';
    PositionalSql out;
    while (!sql.empty()) {
        std::size_t n = opaque_length(sql);
        if (n == 0 && sql.starts_with("::")) n = 2;
        const bool parameter = n == 0 && sql.size() > 1 && sql[0] == ':' && is_name_char(sql[1]);
        if (!parameter) {
            n = std::max<std::size_t>(n, 1);
            out.text += sql.substr(0, n);
            sql.remove_prefix(n);
            continue;
        }
        const auto end = std::find_if_not(sql.begin() + 1, sql.end(), is_name_char);
        const std::string name(sql.begin() + 1, end);
        auto known = std::find(out.parameters.begin(), out.parameters.end(), name);
        if (known == out.parameters.end()) known = out.parameters.insert(known, name);
        out.text += sigil + std::to_string(known - out.parameters.begin() + 1);
        sql.remove_prefix(name.size() + 1);
    }
    return out;
}

std::string expand_braces(std::string_view sql, std::string_view where,
                          const std::function<std::string(std::string_view)>& expand) {
    std::string out;
    while (!sql.empty()) {
        if (const std::size_t n = opaque_length(sql); n > 0) {
            if (!is_comment(sql)) out += sql.substr(0, n);
            sql.remove_prefix(n);
        } else if (sql.front() == '{') {
            const auto end = sql.find('}');
            if (end == std::string_view::npos) {
                throw Error(ErrorKind::internal, std::string(where) + ": '{' without '}'");
            }
            out += expand(trim(sql.substr(1, end - 1)));
            sql.remove_prefix(end + 1);
        } else {
            out += sql.front();
            sql.remove_prefix(1);
        }
    }
    return out;
}

std::vector<SqlBlock> parse_sql_file(std::string_view stem, std::string_view text) {
    std::vector<SqlBlock> blocks;
    std::string* body = nullptr;
    std::size_t line_number = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line_number;
        const auto header = [&](std::string_view key) {
            return line.starts_with(key) ? trim(line.substr(key.size())) : std::string_view{};
        };
        const auto name = header("-- name:");
        const auto made = header("-- template:");
        const auto part = header("-- part:");
        if (!name.empty() || !made.empty()) {
            blocks.push_back({std::string(name.empty() ? made : name), name.empty(), {}, {}});
            body = &blocks.back().text;
        } else if (!part.empty()) {
            const auto dot = part.find('.');
            if (blocks.empty() || !blocks.back().is_template || dot == std::string_view::npos) {
                fail(stem, line_number, "expected `-- part: slot.name` inside a template");
            }
            auto& parts = blocks.back().parts;
            parts.push_back(
                {std::string(part.substr(0, dot)), std::string(part.substr(dot + 1)), {}});
            body = &parts.back().text;
        } else if (line.starts_with("--")) {
            // Of the block that follows; within a part it would hide what is put behind the part.
        } else if (body != nullptr) {
            body->append(line) += '\n';
        } else if (!trim(line).empty()) {
            fail(stem, line_number, "expected `-- name: …` before the first statement");
        }
    }
    for (auto& block : blocks) {
        finish(block.text);
        if (block.text.empty()) fail(stem, line_number, block.name + " has no text");
        for (auto& part : block.parts) finish(part.text);
    }
    return blocks;
}

}  // namespace paperclip::storage
