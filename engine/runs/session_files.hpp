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

/// What a run's plugin was given: its request, the processes that it started, and the inputs, but
/// for lines, which stand in the children's output: each with how much of that output came before
/// it. Written before the plugin sees them, or the process executes anything.
class InputFile {
 public:
    static constexpr const char* k_name = "inputs";

    /// Opens, or creates, the file in the run's folder.
    explicit InputFile(const std::filesystem::path& folder);

    void keep_request(const pluginhost::AgentRequest& request);
    void keep_process(int child, const pluginhost::ProcessIdentity& process);
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
    /// The kept request. Throws Error when there is none.
    [[nodiscard]] const pluginhost::AgentRequest& request() const;
    [[nodiscard]] std::optional<pluginhost::ProcessIdentity> process(int child) const;
    [[nodiscard]] bool was_sent(std::uint64_t id) const { return sent_.contains(id); }
    [[nodiscard]] bool has_sent() const { return !sent_.empty(); }

 private:
    void load(const std::filesystem::path& file);
    void load_line(std::string_view line);

    void write(const std::string& line);

    UniqueFd file_;
    std::optional<pluginhost::AgentRequest> request_;
    std::map<int, pluginhost::ProcessIdentity> processes_;
    std::vector<Entry> entries_;
    std::set<std::uint64_t> sent_;
};

/// Where the files of a run's process are, and the other way round.
std::filesystem::path child_folder(const std::filesystem::path& run_folder, int child);
std::optional<int> child_of(const std::filesystem::path& child_folder);

/// Counts one more attempt to go on with a run; false when there were too many: whatever it is that
/// brings the engine down, it will not get another chance.
bool count_recovery(const std::filesystem::path& folder);

/// The run goes on: the attempts before are no sign against it.
void forget_recoveries(const std::filesystem::path& folder);

/// Puts the settings that all adapters share (`timeoutSec`, `graceSec`) from the configuration into
/// the request; the shorter timeout counts.
void apply_common_config(pluginhost::AgentRequest& request);

/// A spawn as the run's events show it: JSON, secrets masked.
std::string describe_invocation(const pluginhost::SpawnAction& action, const std::string& adapter,
                                const Redactor& redactor);

}  // namespace paperclip::runs
