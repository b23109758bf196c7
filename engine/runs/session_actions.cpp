#include "engine/runs/session.hpp"
#include "engine/runs/session_files.hpp"

#include <paperclip/cpp/fail_point.hpp>

namespace paperclip::runs {

namespace fs = std::filesystem;
using pluginhost::AgentInput;
using pluginhost::Children;
using pluginhost::ResultAction;

void Session::execute(const pluginhost::AgentAction& action) {
    struct Visitor {
        Session& s;
        void operator()(const pluginhost::SpawnAction& a) const { s.spawn(a); }
        void operator()(const pluginhost::StdinAction& a) const { s.write_stdin(a); }
        void operator()(const pluginhost::SignalAction& a) const { s.send_signal(a); }
        void operator()(const pluginhost::HttpAction& a) const { s.send_http(a); }
        void operator()(const pluginhost::TimerAction& a) const { s.set_timer(a); }
        void operator()(const pluginhost::LogAction& a) const {
            s.transcript_->say(s.given_at_, a.stream, a.text);
        }
        void operator()(const pluginhost::SessionAction& a) const { s.session_ = a; }
        void operator()(const pluginhost::UsageAction& a) const { s.take_usage(a); }
        void operator()(const pluginhost::HandleAction& a) const { s.handle_ = a.bytes; }
        void operator()(const ResultAction& a) const { s.take_result(a); }
    };
    if (result_) return;  // nothing counts after the result
    std::visit(Visitor{*this}, action);
}

const std::string& Session::token() {
    if (!token_) token_.emplace(world_.redactor, world_.token(run_, agent_));
    return token_->value();
}

std::vector<std::string> Session::environment_of(const pluginhost::SpawnAction& action) {
    std::map<std::string, std::string> environment;
    for (const auto& variable : world_.base_environment) {
        const auto equals = variable.find('=');
        environment[variable.substr(0, equals)] = variable.substr(equals + 1);
    }
    for (std::size_t i = 0; i + 1 < action.environment.size(); i += 2) {
        environment[action.environment[i]] =
            world_.secrets.resolve(company_id_, action.environment[i + 1]);
    }
    environment.try_emplace("PAPERCLIP_API_KEY", token());
    environment["PAPERCLIP_RUN_ID"] = run_.id.str();  // by which strays are found: see lose()
    std::vector<std::string> list;
    for (const auto& [name, value] : environment) list.push_back(name + "=" + value);
    return list;
}

void Session::spawn(const pluginhost::SpawnAction& action) {
    Child child;
    child.folder = child_folder(folder(), action.child);
    const auto known = inputs_->process(action.child);
    if (known && world_.children.state(child.folder, *known) != Children::State::never_started) {
        child.process = *known;  // an earlier engine started it
        const std::lock_guard lock(seen_mutex_);
        children_.insert_or_assign(action.child, std::move(child));
        return;
    }
    fs::remove_all(child.folder);
    make_private_folder(child.folder);
    if (!action.input.empty() || action.keep_stdin) {
        world_.children.write_input(child.folder, action.input, !action.keep_stdin);
    }
    shim::Spec spec;
    spec.owner = agent_id_.str();
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
    if (!note_process(action, child)) {
        over_ = true;
        on_finished_({run_, {}});
        return;
    }
    const fs::path started = child.folder;
    {
        // Before it can call: by this it is told from the board.
        const std::lock_guard lock(seen_mutex_);
        children_.insert_or_assign(action.child, std::move(child));
    }
    sdk::fail_point("before-go");
    world_.children.go(started);
    sdk::fail_point("after-exec");
    watch(action.child);
}

/// Writes down what process the run has, before the program is executed. False: somebody ended the
/// run. Then, and when it throws, the program never begins.
bool Session::note_process(const pluginhost::SpawnAction& action, const Child& child) {
    try {
        inputs_->keep_process(action.child, child.process);
        const std::string invocation =
            describe_invocation(action, agent_.adapter_type, world_.redactor);
        if (world_.runs.store_process(run_, child.process, invocation)) return true;
    } catch (...) {
        world_.children.abandon(child.folder);
        throw;
    }
    world_.children.abandon(child.folder);
    return false;
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
    world_.children.order(child->second.folder, child->second.process, order);
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

/// A header's value: text, a secret, or a secret after text ("Bearer " and then the token).
std::string Session::header_value(const std::string& text) {
    const auto at = text.find("{\"$secret\"");
    if (at == std::string::npos) return text;
    const std::string secret = text.substr(at);
    if (secret != "{\"$secret\":\"PAPERCLIP_API_KEY\"}") {
        return text.substr(0, at) + world_.secrets.resolve(company_id_, secret);
    }
    return text.substr(0, at) + token();
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
                if (self->pending_timers_.erase(id) > 0)
                    self->feed({.kind = PC_IN_TIMER, .id = id});
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
    const Money more{
        std::min(room.micros, std::max((cost - run_.reserved).micros, run_.reserved.micros / 4))};
    const bool goes_on =
        cost <= *run_.cost_cap && more.micros > 0 && world_.runs.extend(run_, more);
    if (!goes_on) {
        stop_now({StopKind::budget, "Stopped: the run has cost " + to_dollars(cost) +
                                        ", and no budget has room for more"});
    }
}

void Session::take_result(const ResultAction& action) {
    result_ = action;
}

}  // namespace paperclip::runs
