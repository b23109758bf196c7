#pragma once

#include <cstdint>
#include <deque>
#include <paperclip/draft/agent.h>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::check::agent {

/// A promise that was not kept, on its way out of a rule.
class Broken : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

/// pc_request with owned text, as a host would make it.
struct Request {
    std::int32_t kind = PC_START_RUN;
    std::string adapter_type;
    std::string config = "{}";
    std::string context =
        R"({"reason":"issue_assigned","issue":{"id":"issue-1","identifier":"ACM-1","title":"A title"}})";
    std::string prompt = "Do what is to be done.";
    std::string session;
    std::string run_id = "run-1";
    std::uint32_t struct_size = sizeof(pc_request);
};

struct Input {
    std::int32_t kind = 0;
    std::uint64_t id = 0;
    std::int32_t child = 0;
    std::int32_t stream = 0;
    std::int32_t code = 0;
    std::int32_t signal = 0;
    std::string text = {};
    std::uint32_t struct_size = sizeof(pc_input);
};

/// One run inside a plugin, with a host around it that executes nothing, notes what is asked for,
/// and makes up the answers. Lives in the child process of a rule.
class Play {
 public:
    /// is_open() is false when the plugin refused the request; then error() says why.
    Play(const pc_agent& agent, const Request& request);
    ~Play();
    Play(const Play&) = delete;
    Play& operator=(const Play&) = delete;

    [[nodiscard]] bool is_open() const { return run_ != nullptr; }
    [[nodiscard]] const std::string& error() const { return error_; }

    /// Gives an input; returns how many actions were asked for.
    std::size_t give(const Input& input);
    /// START, then an answer to everything that is asked for, until there is a result or nothing is
    /// left to answer. `variant` chooses the answers: good, bad and broken ones. At most `most`
    /// inputs.
    void run(int variant, int most = 500);
    /// Somebody cancels; the host ends children and requests as it does.
    void cancel();

    [[nodiscard]] int results() const { return results_; }
    [[nodiscard]] std::int32_t result_class() const { return class_; }
    /// Everything that was asked for, an action a line.
    [[nodiscard]] const std::string& transcript() const { return transcript_; }
    /// The names of the actions that were asked for, as plugin.json lists them.
    [[nodiscard]] const std::set<std::string>& used() const { return used_; }
    /// The first action that no host could execute, in words; empty when there is none.
    [[nodiscard]] const std::string& malformed() const { return malformed_; }
    /// The most processor time that a step took.
    [[nodiscard]] std::int64_t slowest_us() const { return slowest_us_; }

 private:
    friend struct Recorder;
    void answer(int variant);
    void note(std::string line);
    void complain(const std::string& what);

    const pc_agent& agent_;
    pc_run* run_ = nullptr;
    std::string error_;
    std::int64_t now_us_ = 1'800'000'000'000'000;
    std::string transcript_;
    std::string malformed_;
    std::set<std::string> used_;
    std::size_t actions_ = 0;
    int results_ = 0;
    std::int32_t class_ = -1;
    std::int64_t slowest_us_ = 0;
    std::set<std::int32_t> children_;
    std::set<std::int32_t> live_;
    std::set<std::uint64_t> requests_;
    std::set<std::uint64_t> open_requests_;
    std::deque<Input> pending_;  ///< what the host will answer next
};

}  // namespace paperclip::check::agent
