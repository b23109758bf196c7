#include "engine/storage/catalogue.hpp"

#include "engine/base/error.hpp"

#include <algorithm>
#include <charconv>

namespace paperclip::storage {
namespace {

std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 14695981039346656037ull;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    return hash;
}

bool is_read(std::string_view sql) {
    std::string word;
    for (const char c : sql) {
        if (std::isalpha(static_cast<unsigned char>(c)) == 0) break;
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    // "with" may begin a change too, but none of ours that does is used in a query.
    return word == "select" || word == "with" || word == "explain" || word == "pragma";
}

Error bug(const std::string& what) {
    return Error(ErrorKind::internal, what);
}

StatementText text_of(const Statement& statement, std::string_view sql) {
    return {statement.id, statement.name, sql,
            static_cast<std::uint32_t>(statement.parameters.size()), statement.read};
}

}  // namespace

void Catalogue::add(const SqlModule& module) {
    for (std::size_t i = 0; i < module.statement_count; ++i) {
        const SqlFile& file = module.statements[i];
        for (auto& block : parse_sql_file(file.stem, file.text)) {
            const std::uint64_t hash = hash_of(block.name);
            if (statements_.contains(hash) || template_index_.contains(hash)) {
                throw bug("statement " + block.name + " stands twice in the .sql files");
            }
            if (block.is_template) {
                template_index_[hash] = templates_.size();
                templates_.push_back(std::move(block));
                continue;
            }
            auto positional = to_positional(
                expand_braces(block.text, block.name,
                              [&](std::string_view p) { return expand_struct(p, block.name); }),
                dialect_);
            auto statement = std::make_shared<const Statement>(
                Statement{next_id_++, block.name, std::move(positional.parameters),
                          is_read(positional.text)});
            texts_.push_back({statement, std::move(positional.text)});
            statements_[hash] = std::move(statement);
        }
    }
    for (std::size_t i = 0; i < module.migration_count; ++i) {
        const SqlFile& file = module.migrations[i];
        int version = 0;
        std::from_chars(file.stem.data(), file.stem.data() + file.stem.size(), version);
        migrations_.push_back({version, std::string(file.stem), file.text});
    }
    std::sort(migrations_.begin(), migrations_.end(),
              [](const Migration& a, const Migration& b) { return a.version < b.version; });
}

void Catalogue::publish(Backend& backend) {
    backend_ = &backend;
    for (std::size_t i = 0; i < migrations_.size(); ++i) {
        if (migrations_[i].version != static_cast<int>(i) + 1) {
            throw bug("migration " + migrations_[i].name + " should have number " +
                      std::to_string(i + 1));
        }
    }
    std::vector<StatementText> list;
    for (const auto& [statement, sql] : texts_) list.push_back(text_of(*statement, sql));
    const Failure failure = backend.catalogue(list);
    if (failure.outcome != Outcome::ok)
        throw bug("storage refused the catalogue: " + failure.message);
}

StatementPtr Catalogue::find(const StatementName& name) const {
    const auto found = statements_.find(name.hash);
    if (found == statements_.end()) throw bug(std::string("no statement ") + name.text);
    return found->second;
}

std::string Catalogue::expand_struct(std::string_view placeholder, std::string_view where) const {
    const auto name_end = placeholder.find_first_of(". ");
    const auto found = structs_.find(placeholder.substr(0, name_end));
    if (found == structs_.end()) {
        throw bug(std::string(where) + ": {" + std::string(placeholder) + "} is no known struct");
    }
    auto rest = name_end == std::string_view::npos ? "" : placeholder.substr(name_end);
    const auto but = std::min(rest.find(" but "), rest.size());
    const std::string left_out = std::string(rest.substr(but)) + " ";
    rest = rest.substr(0, but);
    const bool stored_only = rest == ".columns" || rest == ".values";
    const std::string prefix = rest == ".values"       ? ":"
                               : rest.starts_with(' ') ? std::string(rest.substr(1)) + "."
                                                       : "";
    std::string out;
    for (const Field& field : found->second->fields()) {
        const bool derived = !field.rule.column.empty();
        if (derived && stored_only) continue;
        if (left_out.find(" " + std::string(field.name) + " ") != std::string::npos) continue;
        if (!out.empty()) out += ", ";
        out += derived ? std::string(field.rule.column) : prefix + std::string(field.name);
    }
    return out;
}

std::string Catalogue::expand_lists(std::string text, const Composition& composition) const {
    for (const auto& [name, count] : composition.lists) {
        const std::string mark = ":" + std::string(name) + "...";
        const auto at = text.find(mark);
        if (at == std::string::npos) continue;
        std::string parameters;
        for (std::size_t i = 0; i < count; ++i) {
            if (i > 0) parameters += ", ";
            parameters += ":" + std::string(name) + "_" + std::to_string(i);
        }
        text.replace(at, mark.size(), parameters.empty() ? "null" : parameters);
    }
    return text;
}

StatementPtr Catalogue::compose(const StatementName& name, const Composition& composition) {
    const auto index = template_index_.find(name.hash);
    if (index == template_index_.end()) throw bug(std::string("no template ") + name.text);
    const SqlBlock& block = templates_[index->second];

    std::string key = block.name + '\n' + composition.set;
    for (const auto part : composition.parts) key.append("\n").append(part);
    for (const auto& [list, count] : composition.lists) {
        key.append("\n").append(list).append("=").append(std::to_string(count));
    }
    const std::lock_guard lock(compose_mutex_);
    if (const auto known = composed_.find(key); known != composed_.end()) {
        by_use_.splice(by_use_.begin(), by_use_, known->second.use);
        return known->second.statement;
    }

    const auto wanted = [&](const SqlBlock::Part& part) {
        return std::find(composition.parts.begin(), composition.parts.end(), part.name) !=
               composition.parts.end();
    };
    const auto expand = [&](std::string_view placeholder) -> std::string {
        if (placeholder == "set") return composition.set;
        std::string out;
        bool is_slot = false;
        for (const auto& part : block.parts) {
            if (part.slot != placeholder) continue;
            is_slot = true;
            if (wanted(part)) out += '\n' + part.text;
        }
        return is_slot ? out : expand_struct(placeholder, block.name);
    };
    // Twice: parts may hold {Struct} placeholders of their own.
    std::string sql =
        expand_braces(expand_braces(block.text, block.name, expand), block.name, expand);
    auto positional = to_positional(expand_lists(std::move(sql), composition), dialect_);

    std::uint32_t id = 0;
    {
        const std::lock_guard free_lock(free_ids_->mutex);
        if (free_ids_->ids.empty()) {
            id = next_id_++;
        } else {
            id = free_ids_->ids.back();
            free_ids_->ids.pop_back();
        }
    }
    StatementPtr statement(
        new Statement{id, block.name, std::move(positional.parameters), is_read(positional.text)},
        [free = free_ids_](const Statement* s) {
            {
                const std::lock_guard free_lock(free->mutex);
                free->ids.push_back(s->id);
            }
            delete s;
        });
    const StatementText text = text_of(*statement, positional.text);
    const Failure failure = backend_->catalogue({&text, 1});
    if (failure.outcome != Outcome::ok)
        throw bug("storage refused " + block.name + ": " + failure.message);

    by_use_.push_front(key);
    composed_[key] = {statement, by_use_.begin()};
    if (composed_.size() > k_max_composed) {
        composed_.erase(by_use_.back());
        by_use_.pop_back();
    }
    return statement;
}

std::vector<std::string> Catalogue::names() const {
    std::vector<std::string> list;
    for (const auto& text : texts_) list.push_back(text.statement->name);
    for (const auto& block : templates_) list.push_back(block.name);
    return list;
}

}  // namespace paperclip::storage
