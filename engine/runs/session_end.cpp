#include "engine/base/log.hpp"
#include "engine/runs/session.hpp"

#include <csignal>
#include <cstring>

#include <boost/json.hpp>
#include <paperclip/cpp/fail_point.hpp>

namespace paperclip::runs {

namespace fs = std::filesystem;
using pluginhost::ResultAction;

namespace {

constexpr Duration k_escalate_after = std::chrono::seconds(2);
constexpr Duration k_force_after = std::chrono::seconds(5);
constexpr std::uint32_t k_default_grace_sec = 20;  // as the shim's

std::optional<std::string> signal_name(int number) {
    if (number == 0) return std::nullopt;
    const char* name = ::sigabbrev_np(number);
    return name != nullptr ? "SIG" + std::string(name) : "SIG" + std::to_string(number);
}

/// The run's result as the API shows it: the plugin's data, and what the agent says it did. What is
/// no JSON is not handed on.
std::optional<Json> result_of(const Redactor& redactor, const std::string& data,
                              const std::string& summary) {
    if (data.empty() && summary.empty()) return std::nullopt;
    boost::json::value value = boost::json::object{};
    try {
        if (!data.empty()) value = Json{data}.parse();
    } catch (const Error&) {
        value.get_object()["error"] = "expected JSON as the data of the adapter's result";
    }
    if (value.is_object() && !summary.empty()) {
        value.get_object().emplace("summary", summary);  // unless the plugin has one of its own
    }
    return redactor.scrub(Json::from(value));
}

int cancel_code(StopKind kind) {
    switch (kind) {
        case StopKind::user:
            return PC_CANCEL_USER;
        case StopKind::timeout:
            return PC_CANCEL_TIMEOUT;
        case StopKind::budget:
            return PC_CANCEL_BUDGET;
        case StopKind::silence:
            return PC_CANCEL_SILENCE;
        case StopKind::shutdown:
            return PC_CANCEL_SHUTDOWN;
        case StopKind::halt:
            return PC_CANCEL_HALT;
    }
    return PC_CANCEL_USER;
}

}  // namespace

void Session::stop(StopKind kind, std::string message) {
    post([this, stop = Stop{kind, std::move(message)}] { stop_now(stop); });
}

void Session::stop_now(const Stop& stop) {
    if (stop_ || over_) return;
    stop_ = stop;
    press();
    if (!plugin_) return force();
    post([this] {
        feed({.kind = PC_IN_CANCEL, .code = cancel_code(stop_->kind), .text = stop_->message});
    });
}

/// Asks the children to end, and sees to it that they do.
void Session::press() {
    const StopKind kind = stop_->kind;
    const bool by_person = kind == StopKind::user || kind == StopKind::halt;
    order_children(kind == StopKind::budget ? shim::Order::stop_hard
                   : by_person              ? shim::Order::interrupt
                                            : shim::Order::stop);
    // The shims kill when the grace is over; without a program there is nobody to be patient with.
    Duration patience = k_force_after;
    if (kind != StopKind::budget && has_live_child()) {
        patience += std::chrono::seconds(grace_sec_ > 0 ? grace_sec_ : k_default_grace_sec);
    }
    later(k_escalate_after, &Session::escalate);
    later(patience, &Session::force);
}

void Session::later(Duration delay, void (Session::*act)()) {
    guards_.push_back(world_.timers.at(world_.clock.now() + delay, [weak = weak_from_this(), act] {
        if (const auto self = weak.lock()) self->post([self = self.get(), act] { (self->*act)(); });
    }));
}

void Session::escalate() {
    order_children(shim::Order::stop);
}

/// The plugin had its time to say how the run ended.
void Session::force() {
    if (!result_) fail(PC_CLASS_CANCELLED, {}, stop_ ? stop_->message : "");
    finish_if_over();
    if (!over_) later(k_force_after, &Session::give_up);
}

/// Somebody keeps a shim from doing what it was told: then its program is ended without it.
void Session::give_up() {
    if (!has_live_child()) return;
    order_children(shim::Order::destroy);
    lose("The run's program kept its shim from ending it");
}

bool Session::has_live_child() const {
    return std::any_of(children_.begin(), children_.end(),
                       [](const auto& entry) { return !entry.second.ended; });
}

void Session::finish_if_over() {
    if (over_ || replaying_) return;
    if (has_live_child()) {
        // The result is the last word: a program that goes on after it is ended.
        if (result_ && !std::exchange(told_to_end_, true)) order_children(shim::Order::stop_hard);
        return;
    }
    const bool idle = requests_.empty() && pending_timers_.empty();
    if (!result_ && idle && plugin_) {
        fail(PC_CLASS_INTERNAL, "no_result",
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
    if (outcome.session) {
        outcome.session->display_id = world_.redactor.scrub(outcome.session->display_id);
    }
    outcome.clear_session = result.clear_session;
    if (result.retry_at_us > 0) outcome.retry_at = Time{Duration{result.retry_at_us}};
    outcome.result_json = result_of(world_.redactor, result.data, outcome.summary);
    if (result.error_class != PC_CLASS_OK) {
        outcome.error = world_.redactor.scrub(result.message);
        outcome.error_code =
            result.error_code.empty() ? "adapter_failed" : world_.redactor.scrub(result.error_code);
        outcome.status = result.error_class == PC_CLASS_TIMEOUT     ? RunStatus::timed_out
                         : result.error_class == PC_CLASS_CANCELLED ? RunStatus::cancelled
                                                                    : RunStatus::failed;
    }
    // Who was stopped ended for that reason, whatever the program made of it; unless it had won.
    if (stop_ && result.error_class != PC_CLASS_OK && result.error_class != PC_CLASS_LOST) {
        name_stop(outcome);
    }
    if (transcript_) transcript_->describe(outcome);
    return outcome;
}

void Session::name_stop(RunOutcome& outcome) const {
    const auto set = [&](RunStatus status, int error_class, const char* code) {
        outcome.status = status;
        outcome.error_class = error_class;
        outcome.error_code = code;
    };
    outcome.error = stop_->message;
    switch (stop_->kind) {
        case StopKind::timeout:
            return set(RunStatus::timed_out, PC_CLASS_TIMEOUT, "timeout");
        case StopKind::silence:
            return set(RunStatus::failed, PC_CLASS_TIMEOUT, "output_silence");
        case StopKind::budget:
            return set(RunStatus::cancelled, PC_CLASS_CANCELLED, "budget.hard_stop");
        case StopKind::user:
        case StopKind::shutdown:
            return set(RunStatus::cancelled, PC_CLASS_CANCELLED, "cancelled");
        case StopKind::halt:
            return set(RunStatus::cancelled, PC_CLASS_CANCELLED, "agent_not_invokable");
    }
}

void Session::finish() {
    sdk::fail_point("before-result");
    std::optional<Finished> finished;
    try {
        finished = world_.runs.finish(run_, outcome());
    } catch (const storage::StorageError& e) {
        // The store is full or away: the result waits, in the spool and here.
        log_warn("run result not stored yet", {{"run", run_id_.view()}, {"error", e.message()}});
        guards_.push_back(world_.timers.at(
            world_.clock.now() + std::chrono::seconds(1), [weak = weak_from_this()] {
                if (const auto self = weak.lock())
                    self->post([self = self.get()] { self->finish_if_over(); });
            }));
        return;
    }
    over_ = true;
    requests_.clear();
    plugin_.reset();
    std::error_code ignored;
    fs::remove_all(folder(), ignored);
    on_finished_(finished ? *finished : Finished{run_, {}});
}

}  // namespace paperclip::runs
