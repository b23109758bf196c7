#include "tests/simulation/fake_children.hpp"

#include "engine/base/error.hpp"

#include <algorithm>
#include <paperclip/draft/agent.h>

namespace paperclip::simulation {

namespace fs = std::filesystem;
using pluginhost::ProcessIdentity;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

FakeChildren::Child* FakeChildren::find(const fs::path& folder) {
    const auto found = children_.find(folder.string());
    return found == children_.end() ? nullptr : &found->second;
}

ProcessIdentity FakeChildren::prepare(const fs::path& folder, const shim::Spec& spec) {
    if (!power_.use()) throw Error(ErrorKind::unavailable, "the engine is gone");
    if (dice_.chance(0.005)) {
        throw Error(ErrorKind::unavailable, "simulated: no process can be made");
    }
    Child& child = children_[folder.string()];
    std::string input = std::move(child.input);
    child = {};
    child.input = std::move(input);
    const std::int64_t pid = next_pid_++;
    child.identity = {pid, pid, "boot-" + std::to_string(boot_)};
    child.spec = spec;
    child.prepared = true;
    return child.identity;
}

void FakeChildren::go(const fs::path& folder) {
    if (!power_.use()) return;
    Child* const child = find(folder);
    if (child == nullptr || !child->prepared) throw std::logic_error("go without prepare");
    child->prepared = false;
    child->state = State::running;
    const std::string name = folder.string();
    ++executions_[name];
    const Time now = clock_.now();
    const Duration length = dice_.between(seconds(1), minutes(20));
    const bool late =
        child->spec.timeout_ms > 0 && length > Duration(milliseconds(child->spec.timeout_ms));
    outside_.at(now + length / 2, [this, name] { print(name); });
    if (late) {
        outside_.at(now + milliseconds(child->spec.timeout_ms),
                    [this, name] { end(name, -1, 15, shim::StopReason::timeout); });
    } else {
        const int code = dice_.chance(0.05) ? 1 : 0;
        const int signal = dice_.chance(0.03) ? 11 : 0;
        outside_.at(now + length, [this, name, code, signal] {
            end(name, signal != 0 ? -1 : code, signal, shim::StopReason::none);
        });
    }
}

void FakeChildren::abandon(const fs::path& folder) {
    if (Child* const child = find(folder); child != nullptr && power_.use()) {
        child->prepared = false;
    }
}

FakeChildren::State FakeChildren::state(const fs::path& folder, const ProcessIdentity& identity) {
    const Child* const child = find(folder);
    if (child == nullptr) {
        const bool other_boot =
            identity.pid != 0 && identity.boot_id != "boot-" + std::to_string(boot_);
        return other_boot ? State::lost : State::never_started;
    }
    return child->prepared ? State::running : child->state;
}

/// An engine that is gone has let go of its shims at once: nothing is left to wait for.
void FakeChildren::settle(const fs::path&, const ProcessIdentity&) {}

std::optional<shim::Exit> FakeChildren::exit(const fs::path& folder) {
    const Child* const child = find(folder);
    if (child == nullptr || child->state != State::ended) return std::nullopt;
    return child->exit;
}

void FakeChildren::order(const fs::path& folder, const ProcessIdentity& identity,
                         shim::Order order) {
    const Child* const child = find(folder);
    if (!power_.use() || child == nullptr) return;
    if (child->identity.pid != identity.pid || child->state != State::running) return;
    const int signal = order == shim::Order::kill ? 9 : order == shim::Order::interrupt ? 2 : 15;
    // Some do not mind a word, but nobody survives the KILL that follows it.
    if (order == shim::Order::interrupt && dice_.chance(0.5)) return;
    outside_.at(
        clock_.now() + dice_.between(milliseconds(1), seconds(4)),
        [this, name = folder.string(), signal] { end(name, -1, signal, shim::StopReason::order); });
}

void FakeChildren::watch(const fs::path& folder, const ProcessIdentity&,
                         std::function<void()> changed) {
    if (!power_.use()) return;
    if (Child* const child = find(folder)) child->changed = std::move(changed);
    outside_.at(clock_.now(), [this, name = folder.string()] { notify(name); });
}

void FakeChildren::unwatch(const fs::path& folder) {
    if (Child* const child = find(folder)) child->changed = nullptr;
}

std::int64_t FakeChildren::read_output(const fs::path& folder, std::int64_t offset,
                                       std::int64_t limit,
                                       const std::function<void(const Output&)>& visit) {
    const Child* const child = find(folder);
    if (child == nullptr || !power_.on()) return offset;
    const auto size = static_cast<std::int64_t>(child->output.size());
    const auto count = std::min(limit, size - offset);
    if (count <= 0) return offset;
    const auto piece =
        std::string_view(child->output)
            .substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(count));
    visit({PC_STREAM_OUT, child->printed_at, piece});
    return offset + count;
}

void FakeChildren::write_input(const fs::path& folder, std::string_view bytes, bool) {
    if (power_.use()) children_[folder.string()].input += bytes;
}

std::int64_t FakeChildren::input_size(const fs::path& folder) {
    const Child* const child = find(folder);
    return child == nullptr ? 0 : static_cast<std::int64_t>(child->input.size());
}

void FakeChildren::print(const std::string& folder) {
    Child& child = children_.at(folder);
    if (child.state != State::running) return;
    child.output += "still at work\nwithout an end of line";
    child.printed_at = clock_.now();
    notify(folder);
}

void FakeChildren::end(const std::string& folder, int code, int signal, shim::StopReason reason) {
    Child& child = children_.at(folder);
    if (child.state != State::running) return;
    child.state = State::ended;
    child.exit.code = code;
    child.exit.signal = signal;
    child.exit.reason = reason;
    child.exit.ended_us = clock_.now().time_since_epoch().count();
    notify(folder);
}

void FakeChildren::notify(const std::string& folder) {
    const auto found = children_.find(folder);
    if (found == children_.end() || !found->second.changed) return;
    const auto changed = found->second.changed;  // it may end the watch
    changed();
}

void FakeChildren::lose_engine() {
    for (auto& [name, child] : children_) {
        child.prepared = false;
        child.changed = nullptr;
    }
}

void FakeChildren::reboot() {
    ++boot_;
    for (auto& [name, child] : children_) {
        if (child.state == State::running) child.state = State::lost;
    }
}

std::size_t FakeChildren::running() const {
    return static_cast<std::size_t>(
        std::count_if(children_.begin(), children_.end(),
                      [](const auto& entry) { return entry.second.state == State::running; }));
}

}  // namespace paperclip::simulation
