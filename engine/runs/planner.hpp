#pragma once

#include "engine/journal/relay.hpp"
#include "engine/runs/run_engine.hpp"
#include "engine/runs/scheduler.hpp"

#include <functional>

namespace paperclip::runs {

/// Reads the journal and wakes whom a record concerns: the assignee of an issue, who is mentioned,
/// who waited for it. Nobody is woken by what it did itself. A record that is read again wakes
/// nobody again: each wake carries the record's number. On the relay's thread.
class Planner final : public journal::Consumer {
 public:
    Planner(Core core, Wakeups& wakeups, work::Issues& issues, Scheduler& scheduler,
            RunEngine& engine)
        : core_(core), wakeups_(wakeups), issues_(issues), scheduler_(scheduler), engine_(engine) {}

    [[nodiscard]] std::string name() const override { return "wakes"; }
    void consume(std::span<const journal::Record> records) override;

 private:
    struct Reading;
    void read(const journal::Record& record);
    void on_issue_created(const Reading& reading);
    void on_issue_updated(const Reading& reading);
    void on_issue_finished(const Reading& reading, const work::Issue& issue);
    void on_comment(const Reading& reading);
    void on_checkout(const Reading& reading);
    void on_goal_updated(const Reading& reading);
    void on_agent(const journal::Record& record);
    void on_company(const journal::Record& record);
    void wake(const Reading& reading, const Id& agent, std::string_view reason,
              const std::optional<Id>& issue, const std::optional<Id>& comment = {});

    Core core_;
    Wakeups& wakeups_;
    work::Issues& issues_;
    Scheduler& scheduler_;
    RunEngine& engine_;
};

}  // namespace paperclip::runs
