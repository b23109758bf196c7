#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

struct sqlite3;

namespace paperclip::simulation {

/// A promise that was found broken: which one, and where.
struct Violation {
    std::string promise;
    std::string detail;
};

/// Looks at the engine's database with statements of its own, through a connection of its own. What
/// must hold in every committed state is watched by triggers, so that nothing happens between two
/// looks; the rest is asked.
class Auditor {
 public:
    /// `database` has the engine's schema, and no engine has it open yet.
    explicit Auditor(const std::filesystem::path& database);
    ~Auditor();
    Auditor(const Auditor&) = delete;
    Auditor& operator=(const Auditor&) = delete;

    /// Adds the triggers to a new database.
    void set_watch();
    /// What must hold between any two units.
    std::optional<Violation> check();
    /// What must hold when everything has come to rest.
    std::optional<Violation> check_settled();

    std::vector<std::vector<std::string>> rows(const std::string& sql);
    /// The first column of the first row, or "".
    std::string value(const std::string& sql);
    void run(const std::string& sql);

 private:
    struct Promise {
        const char* name;
        const char* broken_by;  ///< a query for what breaks it
    };
    static const std::vector<Promise>& always();
    static const std::vector<Promise>& at_rest();
    std::optional<Violation> check(const std::vector<Promise>& promises);

    sqlite3* database_ = nullptr;
};

}  // namespace paperclip::simulation
