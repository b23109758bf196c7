#include "engine/runs/session.hpp"

#include <csignal>
#include <cstring>

#include <paperclip/cpp/fail_point.hpp>

#include "engine/base/log.hpp"
#include "engine/base/utf8.hpp"
#include "engine/runs/session_files.hpp"

namespace paperclip::runs {

namespace fs = std::filesystem;
namespace shim = paperclip::shim;
using pluginhost::AgentInput;
using pluginhost::Children;
using pluginhost::ResultAction;

namespace {

constexpr std::int64_t k_read_bytes = 1 << 20;
constexpr std::size_t k_tail_bytes = 32 << 10;
constexpr std::int64_t k_max_output_bytes = 256 << 20;
constexpr Duration k_escalate_after = std::chrono::seconds(2);
constexpr Duration k_force_after = std::chrono::seconds(5);

const char* stream_name(int stream) { return stream == PC_STREAM_ERR ? "stderr" : "stdout"; }

void add_tail(std::string& tail, std::string_view text) {
    tail += text;
    if (tail.size() > 2 * k_tail_bytes) tail.erase(0, tail.size() - k_tail_bytes);
}

std::optional<std::string> tail_of(const std::string& tail, const Redactor& redactor) {
    const auto text = tail.size() > k_tail_bytes
                          ? std::string_view(tail).substr(tail.size() - k_tail_bytes)
                          : std::string_view(tail);
    return redactor.scrub(to_valid_utf8(text));
}

ResultAction result_of(int error_class, std::string code, std::string message) {
    ResultAction result;
    result.error_class = error_class;
    result.error_code = std::move(code);
    result.message = std::move(message);
    return result;
}

std::optional<std::string> signal_name(int number) {
    if (number == 0) return std::nullopt;
    const char* name = ::sigabbrev_np(number);
    return name != nullptr ? "SIG" + std::string(name) : "SIG" + std::to_string(number);
}

int cancel_code(StopKind kind) {
    switch (kind) {
        case StopKind::user: return PC_CANCEL_USER;
        case StopKind::timeout: return PC_CANCEL_TIMEOUT;
        case StopKind::budget: return PC_CANCEL_BUDGET;
        case StopKind::silence: return PC_CANCEL_SILENCE;
        case StopKind::shutdown: return PC_CANCEL_SHUTDOWN;
    }
    return PC_CANCEL_USER;
}

}  // namespace

Session::Session(SessionWorld& world, Run run, OnFinished on_finished)
    : world_(world),
      run_(std::move(run)),
      run_id_(run_.id),
      agent_id_(run_.agent_id),
      company_id_(run_.company_id),
      on_finished_(std::move(on_finished)),
      strand_(world.executor) {}

Session::~Session() {
    for (const auto& handle : guards_) world_.timers.cancel(handle);
    for (const auto& [id, handle] : timer_handles_) world_.timers.cancel(handle);
}

fs::path Session::folder() const { return world_.run_folders / run_id_.str(); }

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
            result_ = result_of(PC_CLASS_INTERNAL,
                                error != nullptr && !error->code().empty() ? error->code()
                                                                            : "engine_error",
                                e.what());
        }
        order_children(shim::Order::stop_hard);
        finish_if_over();
    }
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
    log_ = std::make_unique<RunLog>(world_.log_root, *run_.log_ref, world_.redactor);
    const auto request = make_request(world_.briefer.brief(run_, agent_));
    keep_request(folder(), request);
    open(request);
    feed({.kind = PC_IN_START});
}

void Session::begin_again() {
    sdk::fail_point("in-recovery");
    agent_ = world_.agents.get(agent_id_);
    log_ = std::make_unique<RunLog>(world_.log_root, *run_.log_ref, world_.redactor);
    if (!fs::exists(folder()) || !count_recovery(folder())) return lose();
    open(read_request(folder()));
    replay();
    poll();
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
        request.session = world_.runs.stored_session(agent_, *run_.task_key);
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
    inputs_ = std::make_unique<InputFile>(folder());
    if (timeout_sec_ == 0) return;
    // The shims keep this time for their programs; this is for what runs without one.
    const Time due = run_.started_at.value_or(world_.clock.now()) + std::chrono::seconds(timeout_sec_);
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

void Session::give(const AgentInput& input) {
    for (const auto& action : plugin_->step(input)) execute(action);
}

void Session::execute(const pluginhost::AgentAction& action) {
    struct Visitor {
        Session& s;
        void operator()(const pluginhost::SpawnAction& a) const { s.spawn(a); }
        void operator()(const pluginhost::StdinAction& a) const { s.write_stdin(a); }
        void operator()(const pluginhost::SignalAction& a) const { s.send_signal(a); }
        void operator()(const pluginhost::HttpAction& a) const { s.send_http(a); }
        void operator()(const pluginhost::TimerAction& a) const { s.set_timer(a); }
        void operator()(const pluginhost::LogAction& a) const {
            s.write_log(s.world_.clock.now(),
                        a.stream == 0 ? "system" : stream_name(a.stream), a.text);
        }
        void operator()(const pluginhost::SessionAction& a) const { s.session_ = a; }
        void operator()(const pluginhost::UsageAction& a) const { s.take_usage(a); }
        void operator()(const pluginhost::HandleAction& a) const { s.handle_ = a.bytes; }
        void operator()(const ResultAction& a) const { s.take_result(a); }
    };
    if (result_) return;  // nothing counts after the result
    std::visit(Visitor{*this}, action);
}

void Session::write_log(Time at, std::string_view stream, std::string_view text) {
    const std::string line = log_->append(at, stream, text);
    if (!replaying_) world_.log_line(run_, line);
}

std::vector<std::string> Session::environment_of(const pluginhost::SpawnAction& action) {
    std::map<std::string, std::string> environment;
    for (const auto& variable : world_.base_environment) {
        const auto equals = variable.find('=');
        environment[variable.substr(0, equals)] = variable.substr(equals + 1);
    }
    for (std::size_t i = 0; i + 1 < action.environment.size(); i += 2) {
        environment[action.environment[i]] = world_.secrets.resolve(action.environment[i + 1]);
    }
    if (token_.empty()) token_ = world_.token(run_, agent_);
    world_.redactor.add(token_);
    environment.try_emplace("PAPERCLIP_API_KEY", token_);
    std::vector<std::string> list;
    for (const auto& [name, value] : environment) list.push_back(name + "=" + value);
    return list;
}

void Session::spawn(const pluginhost::SpawnAction& action) {
    Child child;
    child.folder = folder() / ("child-" + std::to_string(action.child));
    const auto known = read_identity(child.folder);
    if (known && world_.children.state(child.folder, *known) != Children::State::never_started) {
        child.process = *known;  // an earlier engine started it
        const std::lock_guard lock(children_mutex_);
        children_.insert_or_assign(action.child, std::move(child));
        return;
    }
    fs::remove_all(child.folder);
    make_private_folder(child.folder);
    if (!action.input.empty() || action.keep_stdin) {
        world_.children.write_input(child.folder, action.input, !action.keep_stdin);
    }
    shim::Spec spec;
    spec.argv = action.argv;
    spec.environment = environment_of(action);
    spec.cwd = action.cwd;
    spec.has_input = !action.input.empty() || action.keep_stdin;
    spec.timeout_ms = std::int64_t{timeout_sec_} * 1000;
    spec.silence_ms = silence_sec_ * 1000;
    spec.grace_ms = std::int64_t{grace_sec_} * 1000;
    spec.max_output_bytes = k_max_output_bytes;
    sdk::fail_point("before-spawn");
    child.process = world_.children.prepare(child.folder, spec);
    keep_identity(child.folder, child.process);
    const std::string invocation =
        describe_invocation(action, agent_.adapter_type, world_.redactor);
    if (!world_.runs.store_process(run_, child.process, invocation)) {
        world_.children.abandon(child.folder);  // somebody ended the run: it never begins
        over_ = true;
        on_finished_({run_, {}, false});
        return;
    }
    sdk::fail_point("before-go");
    world_.children.go(child.folder);
    sdk::fail_point("after-exec");
    {
        const std::lock_guard lock(children_mutex_);
        children_.insert_or_assign(action.child, std::move(child));
    }
    watch(action.child);
}

void Session::watch(int number) {
    const Child& child = children_.at(number);
    world_.children.watch(child.folder, child.process, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->poll_wanted_.exchange(true)) return;
        self->post([self = self.get()] { self->poll(); });
    });
}

void Session::write_stdin(const pluginhost::StdinAction& action) {
    const auto child = children_.find(action.child);
    if (child == children_.end()) return;
    std::string_view bytes = action.bytes;
    if (replaying_) {
        // What an earlier engine wrote is there already.
        const std::int64_t there = world_.children.input_size(child->second.folder);
        const auto skip = std::min<std::int64_t>(there - stdin_replayed_,
                                                 static_cast<std::int64_t>(bytes.size()));
        stdin_replayed_ += static_cast<std::int64_t>(bytes.size());
        bytes.remove_prefix(static_cast<std::size_t>(std::max<std::int64_t>(0, skip)));
    }
    world_.children.write_input(child->second.folder, bytes, action.close);
}

void Session::send_signal(const pluginhost::SignalAction& action) {
    const auto child = children_.find(action.child);
    if (child == children_.end() || replaying_) return;
    const auto order = action.signal == PC_SIGNAL_INT    ? shim::Order::interrupt
                       : action.signal == PC_SIGNAL_KILL ? shim::Order::kill
                                                         : shim::Order::stop;
    world_.children.order(child->second.process, order);
}

void Session::send_http(const pluginhost::HttpAction& action) {
    const std::uint64_t id = action.id;
    requests_[id] = nullptr;
    if (replaying_ && inputs_->was_sent(id)) return;
    pluginhost::HttpRequest request;
    request.method = action.method;
    request.url = action.url;
    request.body = action.body;
    if (action.timeout_ms > 0) request.timeout = std::chrono::milliseconds(action.timeout_ms);
    for (std::size_t i = 0; i + 1 < action.headers.size(); i += 2) {
        request.headers.emplace_back(action.headers[i], header_value(action.headers[i + 1]));
    }
    // Written before it is sent: after a crash it is asked about, not sent twice.
    inputs_->note_sent(id);
    const auto forward = [weak = weak_from_this()](AgentInput input) {
        if (const auto self = weak.lock()) {
            self->post([self = self.get(), input = std::move(input)] { self->take_http(input); });
        }
    };
    pluginhost::HttpEvents events;
    events.head = [forward, id](int status, std::string headers) {
        forward({.kind = PC_IN_HTTP_HEAD, .id = id, .code = status, .text = std::move(headers)});
    };
    events.body = [forward, id](std::string_view bytes) {
        forward({.kind = PC_IN_HTTP_BODY, .id = id, .text = std::string(bytes)});
    };
    events.end = [forward, id](int code, std::string message) {
        forward({.kind = PC_IN_HTTP_END, .id = id, .code = code, .text = std::move(message)});
    };
    requests_[id] = world_.http.send(std::move(request), std::move(events));
}

std::string Session::header_value(const std::string& text) {
    if (text != "{\"$secret\":\"PAPERCLIP_API_KEY\"}") return world_.secrets.resolve(text);
    if (token_.empty()) token_ = world_.token(run_, agent_);
    world_.redactor.add(token_);
    return token_;
}

void Session::take_http(const AgentInput& input) {
    if (!requests_.contains(input.id)) return;
    if (input.kind == PC_IN_HTTP_END) requests_.erase(input.id);
    feed(input);
}

void Session::set_timer(const pluginhost::TimerAction& action) {
    const Time due = world_.clock.now() + std::chrono::milliseconds(action.milliseconds);
    pending_timers_[action.id] = due;
    if (!replaying_) arm_timer(action.id, due);
}

void Session::arm_timer(std::uint64_t id, Time due) {
    timer_handles_[id] = world_.timers.at(due, [weak = weak_from_this(), id] {
        if (const auto self = weak.lock()) {
            self->post([self = self.get(), id] {
                self->timer_handles_.erase(id);
                if (self->pending_timers_.erase(id) > 0) self->feed({.kind = PC_IN_TIMER, .id = id});
            });
        }
    });
}

void Session::take_usage(const pluginhost::UsageAction& action) {
    usage_ = action;
    if (!run_.cost_cap || replaying_ || stop_) return;
    const Money cost{std::max<std::int64_t>(0, action.cost_micros)};
    if (cost <= run_.reserved) return;
    const Money room = *run_.cost_cap - run_.reserved;
    const Money more{std::min(room.micros, std::max((cost - run_.reserved).micros,
                                                    run_.reserved.micros / 4))};
    const bool goes_on = cost <= *run_.cost_cap && more.micros > 0 && world_.runs.extend(run_, more);
    if (!goes_on) {
        stop_now({StopKind::budget, "Stopped: the run has cost " + to_dollars(cost) +
                                        ", and no budget has room for more"});
    }
}

void Session::take_result(const ResultAction& action) { result_ = action; }

void Session::poll() {
    poll_wanted_ = false;
    bool more = false;
    // end_child() may lead to actions that add children; those are polled by their own watch.
    std::vector<int> numbers;
    for (const auto& [number, child] : children_) numbers.push_back(number);
    for (const int number : numbers) {
        if (over_) return;
        more = poll_child(number) || more;
    }
    if (more && !poll_wanted_.exchange(true)) post([this] { poll(); });
    finish_if_over();
}

bool Session::poll_child(int number) {
    Child& child = children_.at(number);
    if (child.ended) return false;
    const auto state = world_.children.state(child.folder, child.process);
    const std::int64_t before = child.offset;
    child.offset = world_.children.read_output(
        child.folder, child.offset, k_read_bytes,
        [&](const Children::Output& output) { take_output(number, child, output); });
    if (child.offset > before) return true;  // look again: there may be more
    if (state == Children::State::ended) end_child(number);
    if (state == Children::State::lost || state == Children::State::never_started) lose();
    return false;
}

void Session::take_output(int number, Child& child, const Children::Output& output) {
    last_output_at_ = output.at;
    last_output_stream_ = stream_name(output.stream);
    std::vector<std::string> lines;
    child.lines[output.stream == PC_STREAM_ERR ? 1 : 0].feed(
        output.bytes, [&](std::string_view line) { lines.emplace_back(line); });
    take_lines(number, output.stream, output.at, lines);
}

void Session::take_lines(int number, int stream, Time at, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    std::string chunk;
    for (const auto& line : lines) {
        if (chunk.size() + line.size() > RunLog::k_max_chunk && !chunk.empty()) {
            write_log(at, stream_name(stream), std::exchange(chunk, {}));
        }
        chunk += line + "\n";
    }
    add_tail(tails_[stream == PC_STREAM_ERR ? 1 : 0], chunk);
    write_log(at, stream_name(stream), chunk);
    for (const auto& line : lines) {
        give({.kind = PC_IN_LINE, .now = at, .child = number, .stream = stream, .text = line});
    }
}

/// What a child printed without a line end is a line when it has ended.
void Session::flush_lines(int number) {
    Child& child = children_.at(number);
    for (const int stream : {PC_STREAM_OUT, PC_STREAM_ERR}) {
        std::vector<std::string> lines;
        child.lines[stream == PC_STREAM_ERR ? 1 : 0].finish(
            [&](std::string_view line) { lines.emplace_back(line); });
        take_lines(number, stream, last_output_at_.value_or(world_.clock.now()), lines);
    }
}

void Session::end_child(int number) {
    Child& child = children_.at(number);
    const auto exit = world_.children.exit(child.folder);
    if (!exit) return lose();
    flush_lines(number);
    child.ended = true;
    world_.children.unwatch(child.folder);
    note_exit(*exit);
    AgentInput input{.kind = PC_IN_EXIT, .child = number, .code = exit->code, .signal = exit->signal};
    if (exit->start_error != 0) input.text = std::strerror(exit->start_error);
    feed(input);
}

void Session::note_exit(const shim::Exit& exit) {
    if (exit.code >= 0) exit_code_ = exit.code;
    exit_signal_ = exit.signal;
    if (exit.left_behind > 0) {
        write_log(world_.clock.now(), "system",
                  std::to_string(exit.left_behind) + " processes outlived the program and were ended");
    }
    if (stop_) return;
    switch (exit.reason) {
        case shim::StopReason::timeout:
            stop_ = {StopKind::timeout, "Timed out after " + std::to_string(timeout_sec_) + "s"};
            break;
        case shim::StopReason::silence:
            stop_ = {StopKind::silence, "No output for " + std::to_string(silence_sec_) + "s"};
            break;
        case shim::StopReason::output_limit:
            result_ = result_of(PC_CLASS_AGENT_ERROR, "output_limit",
                                "The program printed more than " +
                                    std::to_string(k_max_output_bytes >> 20) + " MiB");
            break;
        case shim::StopReason::spool_failed:
            result_ = result_of(PC_CLASS_INTERNAL, "spool_failed",
                                "The run's output could not be written; is the disk full?");
            break;
        case shim::StopReason::none:
        case shim::StopReason::order: break;
    }
}

void Session::lose() {
    result_ = result_of(PC_CLASS_LOST, "process_lost",
                        "The run's process is gone and left no word of how it ended");
    for (auto& [number, child] : children_) {
        world_.children.order(child.process, shim::Order::kill);
        world_.children.unwatch(child.folder);
        child.ended = true;
    }
    finish_if_over();
}

void Session::stop(StopKind kind, std::string message) {
    post([this, stop = Stop{kind, std::move(message)}] { stop_now(stop); });
}

void Session::stop_now(const Stop& stop) {
    if (stop_ || over_) return;
    stop_ = stop;
    if (log_) write_log(world_.clock.now(), "system", stop.message);
    const bool hard = stop.kind == StopKind::budget;
    order_children(hard                           ? shim::Order::stop_hard
                   : stop.kind == StopKind::user ? shim::Order::interrupt
                                                  : shim::Order::stop);
    const auto later = [&](Duration delay, void (Session::*act)()) {
        guards_.push_back(world_.timers.at(world_.clock.now() + delay, [weak = weak_from_this(), act] {
            if (const auto self = weak.lock()) self->post([self = self.get(), act] { (self->*act)(); });
        }));
    };
    later(k_escalate_after, &Session::escalate);
    later(k_force_after, &Session::force);
    if (plugin_) {
        post([this] {
            feed({.kind = PC_IN_CANCEL, .code = cancel_code(stop_->kind), .text = stop_->message});
        });
    } else {
        force();
    }
}

void Session::escalate() { order_children(shim::Order::stop); }

/// The plugin had its time to say how the run ended.
void Session::force() {
    if (!result_) result_ = result_of(PC_CLASS_CANCELLED, {}, stop_ ? stop_->message : "");
    finish_if_over();
}

void Session::order_children(shim::Order order) {
    for (const auto& [number, child] : children_) {
        if (!child.ended) world_.children.order(child.process, order);
    }
}

void Session::finish_if_over() {
    if (over_ || replaying_) return;
    const bool alive = std::any_of(children_.begin(), children_.end(),
                                   [](const auto& entry) { return !entry.second.ended; });
    if (alive) {
        // The result is the last word: a program that goes on after it is ended.
        if (result_ && !std::exchange(told_to_end_, true)) order_children(shim::Order::stop_hard);
        return;
    }
    const bool idle = requests_.empty() && pending_timers_.empty();
    if (!result_ && idle && plugin_) {
        result_ = result_of(PC_CLASS_INTERNAL, "no_result",
                            "The adapter has nothing left to do, and gave no result");
    }
    if (result_) finish();
}

RunOutcome Session::outcome() const {
    RunOutcome outcome;
    const ResultAction& result = *result_;
    outcome.error_class = result.error_class;
    outcome.exit_code = exit_code_;
    outcome.signal = signal_name(exit_signal_);
    outcome.summary = world_.redactor.scrub(result.summary);
    outcome.usage = usage_;
    outcome.session = session_;
    outcome.clear_session = result.clear_session;
    if (result.retry_at_us > 0) outcome.retry_at = Time{Duration{result.retry_at_us}};
    if (!result.data.empty()) outcome.result_json = Json{world_.redactor.scrub(result.data)};
    if (result.error_class != PC_CLASS_OK) {
        outcome.error = world_.redactor.scrub(result.message);
        outcome.error_code = result.error_code.empty() ? "adapter_failed" : result.error_code;
        outcome.status = result.error_class == PC_CLASS_TIMEOUT     ? RunStatus::timed_out
                         : result.error_class == PC_CLASS_CANCELLED ? RunStatus::cancelled
                                                                    : RunStatus::failed;
    }
    // Who was stopped ended for that reason, whatever the program made of it; unless it had won.
    if (stop_ && result.error_class != PC_CLASS_OK && result.error_class != PC_CLASS_LOST) {
        outcome.error = stop_->message;
        switch (stop_->kind) {
            case StopKind::timeout:
                outcome.status = RunStatus::timed_out;
                outcome.error_code = "timeout";
                outcome.error_class = PC_CLASS_TIMEOUT;
                break;
            case StopKind::silence:
                outcome.status = RunStatus::failed;
                outcome.error_code = "output_silence";
                outcome.error_class = PC_CLASS_TIMEOUT;
                break;
            case StopKind::budget:
                outcome.status = RunStatus::cancelled;
                outcome.error_code = "budget.hard_stop";
                outcome.error_class = PC_CLASS_CANCELLED;
                break;
            case StopKind::user:
            case StopKind::shutdown:
                outcome.status = RunStatus::cancelled;
                outcome.error_code = "cancelled";
                outcome.error_class = PC_CLASS_CANCELLED;
                break;
        }
    }
    if (log_) {
        outcome.log_bytes = log_->bytes();
        outcome.log_sha256 = log_->sha256();
        outcome.last_output_seq = log_->lines();
        outcome.last_output_bytes = log_->bytes();
    }
    outcome.stdout_excerpt = tail_of(tails_[0], world_.redactor);
    outcome.stderr_excerpt = tail_of(tails_[1], world_.redactor);
    outcome.last_output_at = last_output_at_;
    if (!last_output_stream_.empty()) outcome.last_output_stream = last_output_stream_;
    return outcome;
}

void Session::finish() {
    sdk::fail_point("before-result");
    std::optional<Finished> finished;
    try {
        finished = world_.runs.finish(run_, outcome());
    } catch (const storage::StorageError& e) {
        // The store is full or away: the result waits, in the spool and here.
        log_warn("run result not stored yet", {{"run", run_id_.view()}, {"error", e.message()}});
        guards_.push_back(
            world_.timers.at(world_.clock.now() + std::chrono::seconds(1), [weak = weak_from_this()] {
                if (const auto self = weak.lock()) self->post([self = self.get()] { self->finish_if_over(); });
            }));
        return;
    }
    over_ = true;
    requests_.clear();
    plugin_.reset();
    std::error_code ignored;
    fs::remove_all(folder(), ignored);
    on_finished_(finished ? *finished : Finished{run_, {}, false});
}

void Session::detach() {
    strand_.post([self = shared_from_this()] {
        self->over_ = true;
        for (const auto& [number, child] : self->children_) self->world_.children.unwatch(child.folder);
        self->requests_.clear();
    });
}

std::vector<pluginhost::ProcessIdentity> Session::processes() const {
    const std::lock_guard lock(children_mutex_);
    std::vector<pluginhost::ProcessIdentity> list;
    for (const auto& [number, child] : children_) {
        if (!child.ended) list.push_back(child.process);
    }
    return list;
}

void Session::replay() {
    replaying_ = true;
    for (const auto& entry : inputs_->read()) {
        for (const auto& [number, offset] : entry.offsets) {
            const auto found = children_.find(number);
            if (found == children_.end()) continue;
            Child& child = found->second;
            child.offset = world_.children.read_output(
                child.folder, child.offset, offset - child.offset,
                [&](const Children::Output& output) { take_output(number, child, output); });
        }
        if (entry.input.kind == PC_IN_EXIT && children_.contains(entry.input.child)) {
            flush_lines(entry.input.child);
            children_.at(entry.input.child).ended = true;
            if (const auto exit = world_.children.exit(children_.at(entry.input.child).folder)) {
                note_exit(*exit);
            }
        }
        if (entry.input.kind == PC_IN_TIMER) pending_timers_.erase(entry.input.id);
        if (entry.input.kind == PC_IN_HTTP_END) requests_.erase(entry.input.id);
        give(entry.input);
    }
    replaying_ = false;
    for (const auto& [number, child] : children_) {
        if (!child.ended) watch(number);
    }
    for (const auto& [id, due] : pending_timers_) arm_timer(id, due);
    feed({.kind = PC_IN_RECOVER, .text = handle_});
    const auto asked = requests_;
    for (const auto& [id, request] : asked) {
        if (request) continue;
        take_http({.kind = PC_IN_HTTP_END, .id = id, .code = PC_HTTP_LOST,
                   .text = "the engine was restarted meanwhile"});
    }
}

bool Session::has_begun(const SessionWorld& world, const Run& run) {
    const fs::path folder = world.run_folders / run.id.str();
    // What the row says of the process; its folder may have gone with the machine's power.
    const pluginhost::ProcessIdentity stored{run.process_pid.value_or(0),
                                             run.process_start_ticks.value_or(0),
                                             run.process_boot_id.value_or("")};
    bool has_child = false;
    if (fs::exists(folder / InputFile::k_name)) {
        if (InputFile(folder).has_sent()) return true;
        for (const auto& entry : fs::directory_iterator(folder)) {
            if (!entry.is_directory()) continue;
            has_child = true;
            const auto identity = read_identity(entry.path()).value_or(stored);
            world.children.settle(entry.path(), identity);
            const auto state = world.children.state(entry.path(), identity);
            if (state != Children::State::never_started) return true;
        }
    }
    return run.process_pid && !has_child;
}

}  // namespace paperclip::runs
