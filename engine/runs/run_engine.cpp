#include "engine/runs/run_engine.hpp"

#include "engine/base/log.hpp"

namespace paperclip::runs {
namespace {

constexpr std::chrono::seconds k_cancel_wait{8};
constexpr std::chrono::seconds k_retry_after{1};

}  // namespace

RunEngine::RunEngine(SessionWorld& world, Wakeups& wakeups, Options options)
    : world_(world), wakeups_(wakeups), options_(options) {
    wakeups_.on_queued([this](const Id& agent) { dispatch(agent); });
}

void RunEngine::recover() {
    // Nothing goes on before the state is in order: a run that ends meanwhile would change it, too.
    std::vector<Run> begun;
    for (const Run& run : world_.runs.in_status(RunStatus::running)) {
        if (Session::has_begun(world_, run)) {
            log_info("run goes on", {{"run", run.id.view()}});
            begun.push_back(run);
        } else {
            log_info("run had not begun, it is queued again", {{"run", run.id.view()}});
            world_.runs.requeue(run);
        }
    }
    sweep(begun);
    for (const Run& run : world_.runs.in_status(RunStatus::scheduled_retry)) schedule_retry(run);
    wakeups_.promote_all_deferred();
    for (const Run& run : begun) begin(run, true);
    for (const Id& agent : world_.runs.agents_with_queued()) dispatch(agent);
}

/// Removes the folders of runs that had ended when the engine did: what a program printed is in
/// them as it came.
void RunEngine::sweep(const std::vector<Run>& begun) {
    std::set<std::string> wanted;
    for (const Run& run : begun) wanted.insert(run.id.str());
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(world_.run_folders, ignored)) {
        const std::string name = entry.path().filename();
        if (Id::parse(name) && !wanted.contains(name)) {
            std::filesystem::remove_all(entry.path(), ignored);
        }
    }
}

void RunEngine::dispatch(const Id& agent) {
    {
        const std::lock_guard lock(mutex_);
        if (closing_) return;
        if (!dispatching_.insert(agent).second) {
            again_.insert(agent);
            return;
        }
    }
    world_.executor.post([this, agent] { work(agent); });
}

/// One worker at a time is at an agent, so that two do not race for its next run.
void RunEngine::work(const Id& agent) {
    try {
        while (start_next(agent)) {
        }
    } catch (const std::exception& e) {
        log_warn("runs not started, trying again", {{"agent", agent.view()}, {"error", e.what()}});
        world_.timers.at(world_.clock.now() + k_retry_after, [this, agent] { dispatch(agent); });
    }
    bool again = false;
    {
        const std::lock_guard lock(mutex_);
        dispatching_.erase(agent);
        again = again_.erase(agent) > 0;
    }
    if (again) dispatch(agent);
}

bool RunEngine::start_next(const Id& agent_id) {
    std::uint64_t ended = 0;
    {
        const std::lock_guard lock(mutex_);
        if (closing_) return false;
        ended = ended_;
        if (sessions_.size() >= options_.max_live_runs) {
            waiting_.insert(agent_id);
            return false;
        }
    }
    const agents::Agent agent = world_.agents.get(agent_id);
    if (!agent.is_invokable()) {
        // By its failures or its budget, or while the run was being queued.
        storage::Unit unit = world_.runs.core().store.unit();
        add_cancel_waiting(unit, agent_id, "agent_paused",
                           "Cancelled because the agent is " + std::string(word(agent.status)));
        world_.runs.core().store.submit(unit);
        return false;
    }
    std::optional<Run> run;
    switch (world_.runs.claim(agent, run)) {
        case Runs::Claim::none:
            return false;
        case Runs::Claim::again:
            if (run && run->issue_id) pass_on(*run->issue_id);
            return true;
        case Runs::Claim::full: {
            const std::lock_guard lock(mutex_);
            if (ended != ended_) return true;  // who made room meanwhile did not see it wait
            waiting_.insert(agent_id);
            return false;
        }
        case Runs::Claim::claimed:
            begin(*run, false);
            return true;
    }
    return false;
}

void RunEngine::begin(const Run& run, bool recovered) {
    auto session = std::make_shared<Session>(
        world_, run, [this, id = run.id](const Finished& finished) { on_finished(id, finished); });
    {
        const std::lock_guard lock(mutex_);
        sessions_[run.id] = session;
    }
    recovered ? session->recover() : session->start();
}

void RunEngine::on_finished(const Id& run, const Finished& finished) {
    std::set<Id> waiting;
    {
        const std::lock_guard lock(mutex_);
        sessions_.erase(run);
        ++ended_;
        waiting.swap(waiting_);
    }
    changed_.notify_all();
    try {
        after(finished);
    } catch (const std::exception& e) {
        log_warn("after a run", {{"run", run.view()}, {"error", e.what()}});
    }
    for (const Id& agent : waiting) dispatch(agent);
    dispatch(finished.run.agent_id);
}

void RunEngine::after(const Finished& finished) {
    if (finished.retry && finished.retry->scheduled_retry_at) schedule_retry(*finished.retry);
    if (finished.run.issue_id) pass_on(*finished.run.issue_id);
    // Its agent may have been resumed while the run was still being stopped.
    if (is_turned_away(finished.run.error_code.value_or(""))) {
        insist([this, company = finished.run.company_id] { wakeups_.repeat_turned_away(company); });
    }
}

/// Whoever waited for a run of the issue has its turn.
void RunEngine::pass_on(const Id& issue) {
    insist([this, issue] { wakeups_.promote_deferred(issue); });
}

/// Does what nobody else would do later, when a store fails for a moment.
void RunEngine::insist(std::function<void()> work) {
    world_.executor.post([this, work = std::move(work)] {
        try {
            work();
        } catch (const storage::StorageError& e) {
            log_warn("the store failed, it is tried again", {{"error", e.message()}});
            world_.timers.at(world_.clock.now() + k_retry_after, [this, work] { insist(work); });
        }
    });
}

void RunEngine::schedule_retry(const Run& run) {
    world_.timers.at(run.scheduled_retry_at.value_or(world_.clock.now()), [this, id = run.id] {
        insist([this, id] {
            if (const auto queued = world_.runs.promote_retry(id)) dispatch(queued->agent_id);
        });
    });
}

Run RunEngine::cancel(const Id& id, const Actor& actor) {
    const Run run = world_.runs.get(id);
    const std::string message = actor.is_board() ? "Cancelled by a board operator" : "Cancelled";
    if (run.status == RunStatus::queued || run.status == RunStatus::scheduled_retry) {
        if (const auto cancelled = world_.runs.cancel_waiting(id, actor, "cancelled", message)) {
            if (cancelled->issue_id) pass_on(*cancelled->issue_id);
            return *cancelled;
        }
    }
    std::shared_ptr<Session> session;
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = sessions_.find(id); found != sessions_.end())
            session = found->second;
    }
    if (session) {
        session->stop(StopKind::user, message);
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, k_cancel_wait, [&] { return !sessions_.contains(id); });
    }
    return world_.runs.get(id);
}

void RunEngine::add_cancel_waiting(storage::Unit& unit, const Id& agent, std::string_view code,
                                   const std::string& message) {
    world_.runs.add_cancel_waiting(unit, agent, code, message).each([this](storage::Row row) {
        if (!row[0].as_text().empty()) pass_on(Id::trusted(row[0].as_text()));
    });
}

void RunEngine::add_halt(storage::Unit& unit, const Id& agent, std::string_view code,
                         const std::string& message) {
    add_cancel_waiting(unit, agent, code, message);
    unit.after([this, agent, message] {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, session] : sessions_) {
            if (session->agent_id() == agent) session->stop(StopKind::halt, message);
        }
    });
}

void RunEngine::shut_down(bool drain) {
    std::unique_lock lock(mutex_);
    closing_ = true;
    if (drain) changed_.wait(lock, [&] { return sessions_.empty(); });
    for (const auto& [id, session] : sessions_) session->detach();
    sessions_.clear();
}

std::vector<RunEngine::LiveProcess> RunEngine::live_processes() const {
    std::vector<LiveProcess> list;
    const std::lock_guard lock(mutex_);
    for (const auto& [id, session] : sessions_) {
        for (const auto& process : session->processes()) list.push_back({id, process});
    }
    return list;
}

std::size_t RunEngine::live_count() const {
    const std::lock_guard lock(mutex_);
    return sessions_.size();
}

std::optional<OutputProgress> RunEngine::progress(const Id& run) const {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(run);
    if (found == sessions_.end()) return std::nullopt;
    return found->second->progress();
}

}  // namespace paperclip::runs
