#include "engine/runs/session.hpp"
#include "engine/runs/session_files.hpp"

#include <cstring>

namespace paperclip::runs {

using pluginhost::AgentInput;
using pluginhost::Children;

namespace {

constexpr std::int64_t k_read_bytes = 1 << 20;

}  // namespace

void Session::watch(int number) {
    const Child& child = children_.at(number);
    world_.children.watch(child.folder, child.process, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->poll_wanted_.exchange(true)) return;
        self->post([self = self.get()] { self->poll(); });
    });
}

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
    transcript_->touch(output.at, output.stream);
    std::vector<std::string> lines;
    child.lines[output.stream == PC_STREAM_ERR ? 1 : 0].feed(
        output.bytes, [&](std::string_view line) { lines.emplace_back(line); });
    take_lines(number, output.stream, output.at, lines);
}

void Session::take_lines(int number, int stream, Time at, const std::vector<std::string>& lines) {
    transcript_->print(at, stream, lines);
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
        take_lines(number, stream, transcript_->last_output_at().value_or(world_.clock.now()),
                   lines);
    }
}

void Session::end_child(int number) {
    Child& child = children_.at(number);
    const auto exit = world_.children.exit(child.folder);
    if (!exit) return lose();
    flush_lines(number);
    mark_ended(child);
    world_.children.unwatch(child.folder);
    note_exit(*exit);
    AgentInput input{
        .kind = PC_IN_EXIT, .child = number, .code = exit->code, .signal = exit->signal};
    if (exit->start_error != 0) input.text = std::strerror(exit->start_error);
    feed(input);
}

void Session::mark_ended(Child& child) {
    const std::lock_guard lock(seen_mutex_);
    child.ended = true;
}

void Session::note_exit(const shim::Exit& exit) {
    if (exit.code >= 0) exit_code_ = exit.code;
    exit_signal_ = exit.signal;
    if (exit.left_behind > 0) {
        transcript_->say(
            Time{Duration{exit.ended_us}}, 0,
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
            fail(PC_CLASS_AGENT_ERROR, "output_limit",
                 "The program printed more than " + std::to_string(k_max_output_bytes >> 20) +
                     " MiB");
            break;
        case shim::StopReason::spool_failed:
            fail(PC_CLASS_INTERNAL, "spool_failed",
                 "The run's output could not be written; is the disk full?");
            break;
        case shim::StopReason::none:
        case shim::StopReason::order:
            break;
    }
}

void Session::lose(std::string why) {
    fail(PC_CLASS_LOST, "process_lost", std::move(why));
    // Of a run that could not be taken up again we may know no more than its process.
    if (children_.empty() && stored_process_) {
        world_.children.order(child_folder(folder(), 0), *stored_process_, shim::Order::kill);
    }
    for (auto& [number, child] : children_) {
        world_.children.order(child.folder, child.process, shim::Order::kill);
        world_.children.unwatch(child.folder);
        mark_ended(child);
    }
    // A shim that was killed could not end its program: a retry must not meet it at work.
    const int strays = world_.children.end_strays("PAPERCLIP_RUN_ID=" + run_.id.str());
    if (strays > 0) {
        transcript_->say(world_.clock.now(), 0,
                         std::to_string(strays) + " processes of the lost run were ended");
    }
    finish_if_over();
}

void Session::order_children(shim::Order order) {
    for (const auto& [number, child] : children_) {
        if (!child.ended) world_.children.order(child.folder, child.process, order);
    }
}

}  // namespace paperclip::runs
