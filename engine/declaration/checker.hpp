#pragma once

#include "engine/declaration/check.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::declaration {

/// Where in the document something stands: keys, and indexes as text.
using Path = std::vector<std::string>;

Path operator/(Path path, std::string_view step);

/// One check of a document; what is wrong is collected with its place. The parts stand in
/// check.cpp, check_agents.cpp and check_work.cpp.
class Checker {
 public:
    Checker(const Source& source, const Files& files, const agents::Adapters& adapters);

    void check_head();
    void check_settings();
    void check_agents();
    void check_work();
    void check_governance();
    [[nodiscard]] Findings take();

 private:
    using Words = std::vector<std::string>;

    void error(const Path& path, std::string message, std::string code = "invalid");
    void error_at_key(const Path& path, std::string message, std::string code = "invalid");
    void warn(const Path& path, std::string message, std::string code);
    void add(Severity severity, const Mark& mark, const Path& path, std::string code,
             std::string message);

    /// `text` must be one of `known`; the error says what kind of thing, and the likely word.
    bool must_be_one_of(const Path& path, const std::string& text, const Words& known,
                        std::string_view kind);
    void check_keys(std::string_view section, const Words& keys);
    void check_zone(const Path& path, const std::optional<std::string>& zone);
    void check_cron(const Path& path, const std::optional<std::string>& cron);
    void check_catch_up(const Path& path, const std::optional<std::string>& policy);
    void check_secret(const Path& path, const std::string& name);
    void check_secrets_in(const Path& path, const std::optional<Json>& config);
    void check_renamed(const Path& path, const std::optional<std::string>& from, const Words& keys);

    void check_one_settings(const Path& path, const AgentSettings& settings);
    void check_heartbeat(const Path& path, const HeartbeatEntry& heartbeat);
    void check_instructions(const Path& path, const std::string& file);
    void check_permissions(const Path& path, const std::optional<std::vector<std::string>>& words);

    void check_agent(const std::string& key, const AgentEntry& entry);
    void check_adapter(const std::string& key, const AgentEntry& entry, const AgentEntry& all);
    void check_role_bounds(const std::string& key, const AgentEntry& entry);
    void check_names();
    void check_org_chart();
    void lint_agent(const std::string& key, const AgentEntry& all);
    /// Where an agent's effective setting comes from: its entry, its role or the defaults.
    [[nodiscard]] Path origin(const std::string& key, const AgentEntry& entry, Path below) const;

    /// The same of a member of its adapter's configuration, or of what surrounds it; empty when
    /// the document has nothing of it.
    [[nodiscard]] Path origin_of_config(const std::string& key, const AgentEntry& entry,
                                        Path member) const;

    void check_goals();
    void check_projects();
    void check_issues();
    void check_routines();
    void check_cycle(std::string_view section, const std::string& key, const Words& chain,
                     std::string_view field);

    const Source& source_;
    const Document& document_;
    const Files& files_;
    const agents::Adapters& adapters_;
    Findings findings_;
    Words agents_;  ///< after count
    Words goals_;
    Words projects_;
    Words issues_;
    Words roles_;
    std::set<std::string> secrets_;
    std::set<std::string> read_files_;  ///< those that agents have
};

}  // namespace paperclip::declaration
