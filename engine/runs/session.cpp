#include "engine/runs/session.hpp"

#include "engine/base/log.hpp"
#include "engine/runs/session_files.hpp"

#include <paperclip/cpp/fail_point.hpp>

namespace paperclip::runs {

namespace fs = std::filesystem;
using pluginhost::AgentInput;
using pluginhost::Children;

namespace {

StopKind stop_kind(int cancel_code) {
    switch (cancel_code) {
        case PC_CANCEL_TIMEOUT:
            return StopKind::timeout;
        case PC_CANCEL_BUDGET:
            return StopKind::budget;
        case PC_CANCEL_SILENCE:
            return StopKind::silence;
        case PC_CANCEL_SHUTDOWN:
            return StopKind::shutdown;
        case PC_CANCEL_HALT:
            return StopKind::halt;
        default:
            return StopKind::user;
    }
}

/// What the row says of the run's process.
std::optional<pluginhost::ProcessIdentity> process_of(const Run& run) {
    if (!run.process_pid) return std::nullopt;
    return pluginhost::ProcessIdentity{*run.process_pid, run.process_start_ticks.value_or(0),
                                       run.process_boot_id.value_or("")};
}

bool left_traces(const SessionWorld& world, const Run& run) {
    const fs::path folder = world.run_folders / run.id.str();
    // The folder may have gone with the machine's power.
    const auto stored = process_of(run).value_or(pluginhost::ProcessIdentity{});
    bool has_child = false;
    if (fs::exists(folder / InputFile::k_name)) {
        const InputFile inputs(folder);
        if (inputs.has_sent()) return true;
        for (const auto& entry : fs::directory_iterator(folder)) {
            const auto number = child_of(entry.path());
            if (!number) continue;
            has_child = true;
            const auto process = inputs.process(*number).value_or(stored);
            world.children.settle(entry.path(), process);
            const auto state = world.children.state(entry.path(), process);
            if (state != Children::State::never_started) return true;
        }
    }
    return run.process_pid && !has_child;
}

}  // namespace

Session::Session(SessionWorld& world, Run run, OnFinished on_finished)
    : world_(world),
      run_(std::move(run)),
      run_id_(run_.id),
      agent_id_(run_.agent_id),
      company_id_(run_.company_id),
      on_finished_(std::move(on_finished)),
      strand_(world.executor),
      stored_process_(process_of(run_)) {}

Session::~Session() {
    for (const auto& handle : guards_) world_.timers.cancel(handle);
    for (const auto& [id, handle] : timer_handles_) world_.timers.cancel(handle);
}

fs::path Session::folder() const {
    return world_.run_folders / run_id_.str();
}

void Session::post(std::function<void()> work) {
    strand_.post([self = shared_from_this(), work = std::move(work)] {
        if (!self->over_) self->run_guarded(work);
    });
}

/// The run session is one of the four places where errors end: here, as the run's failure.
void Session::run_guarded(const std::function<void()>& work) {
    try {
        work();
    } catch (const std::exception& e) {
        log_warn("run failed inside the engine", {{"run", run_id_.view()}, {"error", e.what()}});
        const auto* error = dynamic_cast<const Error*>(&e);
        if (!result_) {
            const bool coded = error != nullptr && !error->code().empty();
            fail(PC_CLASS_INTERNAL, coded ? error->code() : "engine_error", e.what());
        }
        order_children(shim::Order::stop_hard);
        finish_if_over();
    }
}

void Session::fail(int error_class, std::string code, std::string message) {
    result_.emplace();
    result_->error_class = error_class;
    result_->error_code = std::move(code);
    result_->message = std::move(message);
}

void Session::start() {
    post([this] { begin(); });
}

void Session::recover() {
    post([this] { begin_again(); });
}

void Session::begin() {
    agent_ = world_.agents.get(agent_id_);
    fs::remove_all(folder());
    make_private_folder(folder());
    open_transcript();
    inputs_ = std::make_unique<InputFile>(folder());
    const auto request = make_request(world_.briefer.brief(run_, agent_));
    inputs_->keep_request(request);
    open(request);
    feed({.kind = PC_IN_START});
}

void Session::begin_again() {
    sdk::fail_point("in-recovery");
    agent_ = world_.agents.get(agent_id_);
    open_transcript();
    if (!fs::exists(folder())) return lose();
    if (!count_recovery(folder()))
        return lose("The engine died each time it took the run up again");
    if (!restore()) return;
    go_on();
    poll();
    forget_recoveries(folder());
}

/// What the earlier engine kept is all there is: a run without it is lost, not the engine.
bool Session::restore() {
    try {
        inputs_ = std::make_unique<InputFile>(folder());
        open(inputs_->request());
        replay();
        return true;
    } catch (const std::exception& e) {
        replaying_ = false;
        transcript_->replaying(false);
        lose("The run cannot go on: " + std::string(e.what()));
        return false;
    }
}

void Session::open_transcript() {
    auto transcript = std::make_unique<Transcript>(
        RunLog(world_.log_root, *run_.log_ref, world_.redactor), world_.redactor,
        [this](std::string_view line) { world_.log_line(run_, line); });
    const std::lock_guard lock(seen_mutex_);
    transcript_ = std::move(transcript);
}

pluginhost::AgentRequest Session::make_request(const Briefing& briefing) {
    const auto limits = agents::parse_runtime_config(agent_.runtime_config).limits;
    pluginhost::AgentRequest request;
    request.adapter_type = agent_.adapter_type;
    request.run_id = run_id_.str();
    request.agent_id = agent_id_.str();
    request.company_id = company_id_.str();
    request.config = agent_.adapter_config.text;
    request.context = briefing.wake;
    request.prompt = briefing.prompt;
    request.cwd = briefing.cwd.string();
    request.api_url = world_.api_url;
    request.environment = briefing.environment;
    request.timeout_sec = static_cast<std::uint32_t>(limits.timeout_sec);
    request.grace_sec = static_cast<std::uint32_t>(limits.grace_sec);
    apply_common_config(request);
    if (run_.cost_cap) request.budget_micros = run_.cost_cap->micros;
    if (run_.task_key && from_snapshot(run_.context_snapshot).force_fresh_session != true) {
        request.session = world_.runs.sessions().stored(agent_, *run_.task_key);
    }
    return request;
}

void Session::open(const pluginhost::AgentRequest& request) {
    const auto* type = world_.adapters.find(request.adapter_type);
    if (type == nullptr) {
        throw Error(ErrorKind::unprocessable,
                    "Adapter type " + request.adapter_type + " is not installed",
                    "adapter_not_installed");
    }
    timeout_sec_ = request.timeout_sec;
    grace_sec_ = request.grace_sec;
    silence_sec_ = agents::parse_runtime_config(agent_.runtime_config).limits.output_timeout_sec;
    plugin_ = std::make_unique<pluginhost::AgentRun>(*type, request);
    if (timeout_sec_ == 0) return;
    // The shims keep this time for their programs; this is for what runs without one.
    const Time due =
        run_.started_at.value_or(world_.clock.now()) + std::chrono::seconds(timeout_sec_);
    guards_.push_back(world_.timers.at(due, [weak = weak_from_this(), seconds = timeout_sec_] {
        if (const auto self = weak.lock()) {
            self->stop(StopKind::timeout, "Timed out after " + std::to_string(seconds) + "s");
        }
    }));
}

void Session::feed(AgentInput input) {
    if (over_) return;
    input.now = world_.clock.now();
    inputs_->append(input, offsets());
    give(input);
    finish_if_over();
}

std::map<int, std::int64_t> Session::offsets() const {
    std::map<int, std::int64_t> offsets;
    for (const auto& [number, child] : children_) offsets[number] = child.offset;
    return offsets;
}

/// What is said of an input bears its time: a replay after a crash writes the same log again.
void Session::give(const AgentInput& input) {
    given_at_ = input.now;
    if (input.kind == PC_IN_CANCEL) transcript_->say(input.now, 0, input.text);
    for (const auto& action : plugin_->step(input)) execute(action);
}

void Session::replay() {
    replaying_ = true;
    transcript_->replaying(true);
    for (const auto& entry : inputs_->read()) {
        for (const auto& [number, offset] : entry.offsets) {
            const auto found = children_.find(number);
            if (found == children_.end()) continue;
            Child& child = found->second;
            child.offset = world_.children.read_output(
                child.folder, child.offset, offset - child.offset,
                [this, &child, n = number](const Children::Output& output) {
                    take_output(n, child, output);
                });
        }
        note_replayed(entry.input);
        give(entry.input);
    }
    replaying_ = false;
    transcript_->replaying(false);
}

/// What the session itself had made of an input when it came.
void Session::note_replayed(const AgentInput& input) {
    switch (input.kind) {
        case PC_IN_EXIT:
            if (const auto found = children_.find(input.child); found != children_.end()) {
                flush_lines(input.child);
                mark_ended(found->second);
                if (const auto exit = world_.children.exit(found->second.folder)) note_exit(*exit);
            }
            break;
        case PC_IN_TIMER:
            pending_timers_.erase(input.id);
            break;
        case PC_IN_HTTP_END:
            requests_.erase(input.id);
            break;
        case PC_IN_CANCEL:
            stop_ = {stop_kind(input.code), input.text};
            break;
        default:
            break;
    }
}

/// After the replay: everything that was on its way when the earlier engine went.
void Session::go_on() {
    for (const auto& [number, child] : children_) {
        if (!child.ended) watch(number);
    }
    for (const auto& [id, due] : pending_timers_) arm_timer(id, due);
    feed({.kind = PC_IN_RECOVER, .text = handle_});
    const auto asked = requests_;
    for (const auto& [id, request] : asked) {
        if (request) continue;
        take_http({.kind = PC_IN_HTTP_END,
                   .id = id,
                   .code = PC_HTTP_LOST,
                   .text = "the engine was restarted meanwhile"});
    }
    if (stop_) return press();
    take_usage(usage_);
    if (agent_.status == agents::AgentStatus::paused ||
        agent_.status == agents::AgentStatus::terminated) {
        stop_now({StopKind::user,
                  "Cancelled because the agent was " + std::string(word(agent_.status))});
    }
}

void Session::detach() {
    strand_.post([self = shared_from_this()] {
        self->over_ = true;
        for (const auto& [number, child] : self->children_)
            self->world_.children.unwatch(child.folder);
        self->requests_.clear();
    });
}

std::vector<pluginhost::ProcessIdentity> Session::processes() const {
    const std::lock_guard lock(seen_mutex_);
    std::vector<pluginhost::ProcessIdentity> list;
    for (const auto& [number, child] : children_) {
        if (!child.ended) list.push_back(child.process);
    }
    if (children_.empty() && stored_process_) list.push_back(*stored_process_);
    return list;
}

OutputProgress Session::progress() const {
    const std::lock_guard lock(seen_mutex_);
    return transcript_ ? transcript_->progress() : OutputProgress{};
}

bool Session::has_begun(const SessionWorld& world, const Run& run) {
    try {
        return left_traces(world, run);
    } catch (const std::exception& e) {
        log_warn("what a run left behind cannot be read",
                 {{"run", run.id.view()}, {"error", e.what()}});
        return true;
    }
}

}  // namespace paperclip::runs
