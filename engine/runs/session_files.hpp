#pragma once

#include "engine/base/files.hpp"
#include "engine/base/redact.hpp"
#include "engine/pluginhost/agent_plugin.hpp"
#include "engine/pluginhost/children.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

// What a run keeps in its folder so that a later engine can go on with it. None of it holds a
// secret: those are put in when an action is executed.
namespace paperclip::runs {

/// The inputs that a run's plugin was given, but for lines, which stand in the children's output:
/// each with how much of that output came before it. Written before the plugin sees them.
class InputFile {
 public:
    static constexpr const char* k_name = "inputs";

    /// Opens, or creates, the file in the run's folder.
    explicit InputFile(const std::filesystem::path& folder);

    void append(const pluginhost::AgentInput& input, const std::map<int, std::int64_t>& offsets);
    /// An HTTP request is about to be sent.
    void note_sent(std::uint64_t id);

    struct Entry {
        pluginhost::AgentInput input;
        std::map<int, std::int64_t> offsets;
    };
    /// What was there when the file was opened, in order. A line that a crash cut short is left
    /// out.
    [[nodiscard]] const std::vector<Entry>& read() const { return entries_; }
    [[nodiscard]] bool was_sent(std::uint64_t id) const { return sent_.contains(id); }
    [[nodiscard]] bool has_sent() const { return !sent_.empty(); }

 private:
    void load(const std::filesystem::path& file);
    void load_line(std::string_view line);

    UniqueFd file_;
    std::vector<Entry> entries_;
    std::set<std::uint64_t> sent_;
};

void keep_request(const std::filesystem::path& folder, const pluginhost::AgentRequest& request);
pluginhost::AgentRequest read_request(const std::filesystem::path& folder);

void keep_identity(const std::filesystem::path& folder, const pluginhost::ProcessIdentity& process);
std::optional<pluginhost::ProcessIdentity> read_identity(const std::filesystem::path& folder);

/// Counts one more attempt to go on with a run; false when there were too many: whatever it is that
/// brings the engine down, it will not get another chance.
bool count_recovery(const std::filesystem::path& folder);

/// Puts the settings that all adapters share (`timeoutSec`, `graceSec`) from the configuration into
/// the request; the shorter timeout counts.
void apply_common_config(pluginhost::AgentRequest& request);

/// A spawn as the run's events show it: JSON, secrets masked.
std::string describe_invocation(const pluginhost::SpawnAction& action, const std::string& adapter,
                                const Redactor& redactor);

}  // namespace paperclip::runs
