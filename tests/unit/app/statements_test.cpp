#include "engine/app/services.hpp"
#include "tests/support/test_store.hpp"

#include <map>
#include <set>
#include <sqlite3.h>

#include <catch2/catch.hpp>

namespace paperclip::app {
namespace {

/// Hears the statements of a catalogue and does nothing else.
class Listening final : public storage::Backend {
 public:
    std::map<std::string, std::string> texts;

    [[nodiscard]] std::string_view dialect() const override { return "sqlite"; }
    storage::Failure catalogue(std::span<const storage::StatementText> statements) override {
        for (const auto& s : statements) texts[std::string(s.name)] = s.sql;
        return {};
    }
    void submit(storage::UnitRequest&) override { FAIL("nothing is submitted"); }
    storage::Failure query(const storage::QueryRequest&) override { return {}; }
    storage::Failure exec_script(std::string_view) override { return {}; }
    storage::Failure checkpoint() override { return {}; }
    storage::Failure health(std::string&) override { return {}; }
    storage::Failure backup(const std::filesystem::path&) override { return {}; }
};

/// What is asked once at start or by a person, and answers with all of a small table.
const std::set<std::string> k_whole_tables{"agent.scheduled", "company.list", "declaration.all",
                                           "scheduler.heartbeats"};

/// A database with the engine's schema.
class Database {
 public:
    explicit Database(const storage::Catalogue& catalogue) {
        REQUIRE(sqlite3_open(":memory:", &db_) == SQLITE_OK);
        for (const auto& migration : catalogue.migrations()) {
            INFO(migration.name);
            const std::string script(migration.script);
            REQUIRE(sqlite3_exec(db_, script.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
        }
    }
    ~Database() { sqlite3_close(db_); }

    /// The steps of the statement's plan, as SQLite explains them.
    std::vector<std::string> plan(const std::string& sql) {
        sqlite3_stmt* statement = nullptr;
        REQUIRE(sqlite3_prepare_v2(db_, ("explain query plan " + sql).c_str(), -1, &statement,
                                   nullptr) == SQLITE_OK);
        std::vector<std::string> steps;
        while (sqlite3_step(statement) == SQLITE_ROW) {
            steps.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 3)));
        }
        sqlite3_finalize(statement);
        return steps;
    }

    /// The names of the indexes that leave rows out.
    std::vector<std::string> partial_indexes() {
        std::vector<std::string> names;
        sqlite3_stmt* statement = nullptr;
        REQUIRE(sqlite3_prepare_v2(db_,
                                   "select name from sqlite_master "
                                   "where type = 'index' and sql like '% where %'",
                                   -1, &statement, nullptr) == SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            names.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)));
        }
        sqlite3_finalize(statement);
        return names;
    }

    std::string why_not(const std::string& sql) {
        sqlite3_stmt* statement = nullptr;
        const int code = sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr);
        sqlite3_finalize(statement);
        return code == SQLITE_OK ? "" : sqlite3_errmsg(db_);
    }

 private:
    sqlite3* db_ = nullptr;
};

/// A table that the plan's step reads from end to end, or searches by no index; "" if there is
/// none. An index of part of a table may be read from end to end. What the statement itself builds
/// (a recursion, a subquery) is no table.
std::string reads_all_of(const std::string& step, const std::string& sql,
                         const std::vector<std::string>& partial_indexes) {
    for (const std::string verb : {"SCAN ", "SEARCH "}) {
        if (!step.starts_with(verb)) continue;
        const bool uses_part = std::any_of(
            partial_indexes.begin(), partial_indexes.end(),
            [&](const std::string& index) { return step.find(" " + index) != std::string::npos; });
        if (uses_part || (verb == "SEARCH " && step.find(" USING ") != std::string::npos)) continue;
        const std::string name =
            step.substr(verb.size(), step.find(' ', verb.size()) - verb.size());
        const bool is_built = name.starts_with("(") || name == "CONSTANT" ||
                              sql.find(") " + name) != std::string::npos ||
                              sql.find(name + " as (") != std::string::npos ||
                              sql.find("recursive " + name) != std::string::npos;
        if (!is_built) return name;
    }
    return "";
}

/// Lists of one value for every `:name...` of a text.
void add_lists(std::string_view text, std::map<std::string_view, std::size_t>& lists) {
    for (auto at = text.find("..."); at != std::string_view::npos; at = text.find("...", at + 1)) {
        const auto colon = text.rfind(':', at);
        lists[text.substr(colon + 1, at - colon - 1)] = 1;
    }
}

}  // namespace

TEST_CASE("every statement is understood by the schema") {
    storage::Catalogue catalogue("sqlite");
    Services::add_sql(catalogue);
    Listening listening;
    catalogue.publish(listening);
    Database database(catalogue);
    REQUIRE(listening.texts.size() > 100);
    for (const auto& [name, sql] : listening.texts) {
        INFO(name << ": " << sql);
        CHECK(database.why_not(sql) == "");
    }
}

TEST_CASE("no statement reads a whole table") {
    storage::Catalogue catalogue("sqlite");
    Services::add_sql(catalogue);
    Listening listening;
    catalogue.publish(listening);
    Database database(catalogue);
    const auto partial = database.partial_indexes();
    for (const auto& [name, sql] : listening.texts) {
        for (const auto& step : database.plan(sql)) {
            INFO(name << ": " << step);
            CHECK((reads_all_of(step, sql, partial).empty() || k_whole_tables.contains(name)));
        }
    }
}

TEST_CASE("live runs are found without a look at those that ended") {
    storage::Catalogue catalogue("sqlite");
    Services::add_sql(catalogue);
    Listening listening;
    catalogue.publish(listening);
    Database database(catalogue);
    for (const auto& [name, sql] : listening.texts) {
        if (sql.find("finished_at is null") == std::string::npos) continue;
        const auto steps = database.plan(sql);
        CAPTURE(name, steps);
        CHECK(std::any_of(steps.begin(), steps.end(), [](const std::string& step) {
            return step.find(" run_live_of_") != std::string::npos;
        }));
    }
}

TEST_CASE("every template is understood with each of its parts") {
    storage::Catalogue catalogue("sqlite");
    Services::add_sql(catalogue);
    Listening listening;
    catalogue.publish(listening);
    Database database(catalogue);
    const auto partial = database.partial_indexes();
    for (const auto& block : catalogue.templates()) {
        std::vector<std::vector<std::string_view>> choices{{}};
        for (const auto& part : block.parts) choices.push_back({part.name});
        for (const auto& parts : choices) {
            storage::Composition composition{.parts = parts, .set = "id = :id", .lists = {}};
            add_lists(block.text, composition.lists);
            for (const auto& part : block.parts) add_lists(part.text, composition.lists);
            listening.texts.clear();
            catalogue.compose(storage::statement_name(block.name.data(), block.name.size()),
                              composition);
            for (const auto& [name, sql] : listening.texts) {
                INFO(block.name << ": " << sql);
                CHECK(database.why_not(sql) == "");
                for (const auto& step : database.plan(sql)) {
                    INFO(step);
                    CHECK(reads_all_of(step, sql, partial).empty());
                }
            }
        }
    }
}

}  // namespace paperclip::app
