#pragma once

#include "engine/base/executor.hpp"
#include "engine/base/redact.hpp"
#include "engine/base/timer_queue.hpp"
#include "engine/pluginhost/http_client.hpp"
#include "engine/runs/context.hpp"
#include "engine/runs/line_splitter.hpp"
#include "engine/runs/runs.hpp"
#include "engine/runs/secrets.hpp"
#include "engine/runs/session_files.hpp"
#include "engine/runs/transcript.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace paperclip::runs {

/// What all sessions work with. Thread-safe, lives as long as the engine.
struct SessionWorld {
    Runs& runs;
    agents::Agents& agents;
    Briefer& briefer;
    pluginhost::Children& children;
    pluginhost::HttpClient& http;
    const pluginhost::AdapterTypes& adapters;
    const SecretSource& secrets;
    Redactor& redactor;
    TimerQueue& timers;
    Executor& executor;
    const Clock& clock;
    std::filesystem::path run_folders;
    std::filesystem::path log_root;
    std::string api_url;                        ///< without /api
    std::vector<std::string> base_environment;  ///< NAME=value, of every child
    /// Makes the token that a run calls back with.
    std::function<std::string(const Run&, const agents::Agent&)> token;
    /// A line of a run's log, as it is written: for live streams.
    std::function<void(const Run&, std::string_view line)> log_line;
};

enum class StopKind { user, timeout, budget, silence, shutdown, halt };

/// One live run: its plugin's state machine, and everything that the machine asked for. All work is
/// done on the session's own strand, one thing after the other; the public functions may be called
/// from anywhere.
///
/// Everything that the plugin was given is kept in the run's folder (the request, the inputs, what
/// children printed), so that after a crash of the engine a new session gives it again, drops what
/// had been done already, and goes on.
class Session : public std::enable_shared_from_this<Session> {
 public:
    using OnFinished = std::function<void(const Finished&)>;
    /// A child that prints more is ended.
    static constexpr std::int64_t k_max_output_bytes = 256 << 20;

    Session(SessionWorld& world, Run run, OnFinished on_finished);
    ~Session();

    /// Begins a run that was just claimed.
    void start();
    /// Goes on with a run that an earlier engine began.
    void recover();
    /// Ends the run; the first reason counts.
    void stop(StopKind kind, std::string message);
    /// Leaves the run to its shims: the engine goes, the run does not.
    void detach();

    [[nodiscard]] const Id& id() const { return run_id_; }
    [[nodiscard]] const Id& agent_id() const { return agent_id_; }
    /// The shims of the run's children, for telling who calls.
    [[nodiscard]] std::vector<pluginhost::ProcessIdentity> processes() const;

    [[nodiscard]] OutputProgress progress() const;

    /// Was anything of the run in that folder ever executed or sent? If not it may begin again.
    /// A folder that cannot be read counts as begun.
    static bool has_begun(const SessionWorld& world, const Run& run);

 private:
    struct Child {
        pluginhost::ProcessIdentity process;
        std::filesystem::path folder;
        std::int64_t offset = 0;  ///< of output that was given to the plugin
        LineSplitter lines[2];
        bool ended = false;
    };
    struct Stop {
        StopKind kind;
        std::string message;
    };

    void begin();
    void begin_again();
    bool restore();
    void replay();
    void note_replayed(const pluginhost::AgentInput& input);
    void go_on();
    void open_transcript();
    void run_guarded(const std::function<void()>& work);
    void post(std::function<void()> work);

    pluginhost::AgentRequest make_request(const Briefing& briefing);
    void open(const pluginhost::AgentRequest& request);

    /// Keeps the input, gives it to the plugin, executes what it wants.
    void feed(pluginhost::AgentInput input);
    void give(const pluginhost::AgentInput& input);
    void execute(const pluginhost::AgentAction& action);
    void spawn(const pluginhost::SpawnAction& action);
    bool note_process(const pluginhost::SpawnAction& action, const Child& child);
    void write_stdin(const pluginhost::StdinAction& action);
    void send_signal(const pluginhost::SignalAction& action);
    void send_http(const pluginhost::HttpAction& action);
    void take_http(const pluginhost::AgentInput& input);
    void set_timer(const pluginhost::TimerAction& action);
    void arm_timer(std::uint64_t id, Time due);
    void take_usage(const pluginhost::UsageAction& action);
    void take_result(const pluginhost::ResultAction& action);

    void watch(int number);
    void poll();
    bool poll_child(int number);
    void take_output(int number, Child& child, const pluginhost::Children::Output& output);
    void take_lines(int number, int stream, Time at, const std::vector<std::string>& lines);
    void flush_lines(int number);
    void end_child(int number);
    void mark_ended(Child& child);
    void note_exit(const shim::Exit& exit);
    void lose(std::string why = "The run's process is gone and left no word of how it ended");

    void fail(int error_class, std::string code, std::string message);
    void stop_now(const Stop& stop);
    void press();
    void escalate();
    void force();
    void give_up();
    void later(Duration delay, void (Session::*act)());
    [[nodiscard]] bool has_live_child() const;
    void order_children(shim::Order order);
    void finish_if_over();
    void finish();
    [[nodiscard]] RunOutcome outcome() const;
    void name_stop(RunOutcome& outcome) const;

    [[nodiscard]] std::filesystem::path folder() const;
    [[nodiscard]] std::map<int, std::int64_t> offsets() const;
    std::vector<std::string> environment_of(const pluginhost::SpawnAction& action);
    std::string header_value(const std::string& text);
    /// What the run calls back with.
    const std::string& token();

    SessionWorld& world_;
    Run run_;
    const Id run_id_;
    const Id agent_id_;
    const Id company_id_;
    OnFinished on_finished_;
    Strand strand_;
    agents::Agent agent_;
    std::optional<PassingSecret> token_;
    std::uint32_t timeout_sec_ = 0;
    std::uint32_t grace_sec_ = 0;
    std::int64_t silence_sec_ = 0;
    std::unique_ptr<pluginhost::AgentRun> plugin_;
    std::unique_ptr<InputFile> inputs_;

    /// Of a run that an earlier engine began: its program, until restore() knows it.
    std::optional<pluginhost::ProcessIdentity> stored_process_;
    mutable std::mutex seen_mutex_;  // held to change what processes() and progress() look at
    std::unique_ptr<Transcript> transcript_;
    std::map<int, Child> children_;
    std::map<std::uint64_t, std::shared_ptr<void>> requests_;  // null: sent by an earlier engine
    std::map<std::uint64_t, Time> pending_timers_;
    std::map<std::uint64_t, TimerQueue::Handle> timer_handles_;
    std::vector<TimerQueue::Handle> guards_;
    std::int64_t stdin_replayed_ = 0;
    Time given_at_;  // the time of the input that the plugin is at
    bool replaying_ = false;
    std::atomic<bool> poll_wanted_{false};

    std::optional<Stop> stop_;
    std::optional<pluginhost::ResultAction> result_;
    bool told_to_end_ = false;
    std::optional<pluginhost::SessionAction> session_;
    pluginhost::UsageAction usage_;
    std::string handle_;
    std::optional<std::int64_t> exit_code_;
    int exit_signal_ = 0;
    bool over_ = false;
};

}  // namespace paperclip::runs
