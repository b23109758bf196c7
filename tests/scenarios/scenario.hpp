#pragma once

#include "engine/declaration/folder.hpp"
#include "tests/support/engine_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/temp_folder.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>

namespace paperclip::test {

/// A real engine with a declared company in it, looked at through the API as an operator would.
class Scenario {
 public:
    /// The engine runs on a free port with a data folder of its own.
    Scenario();

    [[nodiscard]] const TempFolder& folder() const { return folder_; }

    /// Makes the company what `files` declare. Returns whether anything changed.
    bool apply(const declaration::Files& files);

    boost::json::value get(const std::string& path);
    /// GET of a list of the company's, such as "issues".
    boost::json::array list(const std::string& what);
    /// The issue with this title, if there is one. Of several, the newest.
    std::optional<boost::json::object> issue(const std::string& title);
    /// "todo", "done" …, or "" when there is no issue with this title.
    std::string status_of(const std::string& title);
    /// The bodies of its comments, oldest first.
    std::vector<std::string> comments_of(const std::string& title);
    std::string agent_id(const std::string& key);
    /// The runs of an agent with this status.
    std::size_t runs(const std::string& agent_key, const std::string& status);
    /// What the agent's last run that succeeded says it did.
    std::string last_summary(const std::string& agent_key);
    /// How often an agent was not woken at its time, because there was nothing to do.
    std::int64_t skipped_heartbeats(const std::string& agent_key);

    /// Returns when `holds` does; fails the test, with the issues as they are, after two minutes.
    void wait_until(const std::string& what, const std::function<bool()>& holds);

 private:
    std::string issues_as_text();

    TempFolder folder_;
    EngineProcess engine_;
    HttpClient client_;
    std::string company_;
};

}  // namespace paperclip::test
