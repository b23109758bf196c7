#include "engine/runs/planner.hpp"

#include "engine/base/log.hpp"

#include <boost/json.hpp>

namespace paperclip::runs {

namespace json = boost::json;
using storage::operator""_sql;

/// A record with its details taken apart.
struct Planner::Reading {
    const journal::Record& record;
    json::object details;

    explicit Reading(const journal::Record& r) : record(r) {
        if (!r.details) return;
        const auto value = r.details->parse();
        if (value.is_object()) details = value.get_object();
    }
    [[nodiscard]] std::string text(std::string_view name) const { return text_in(details, name); }
    [[nodiscard]] std::optional<Id> id(std::string_view name) const {
        return Id::parse(text(name));
    }
    [[nodiscard]] std::string previous(std::string_view name) const {
        const auto* before = details.if_contains("_previous");
        return before != nullptr && before->is_object() ? text_in(before->get_object(), name) : "";
    }
    [[nodiscard]] bool flag(std::string_view name) const {
        const auto* value = details.if_contains(name);
        return value != nullptr && value->is_bool() && value->get_bool();
    }
    [[nodiscard]] std::optional<Id> entity() const { return Id::parse(record.entity_id); }

 private:
    static std::string text_in(const json::object& object, std::string_view name) {
        const auto* value = object.if_contains(name);
        return value != nullptr && value->is_string() ? std::string(value->get_string().c_str())
                                                      : "";
    }
};

void Planner::consume(std::span<const journal::Record> records) {
    for (const auto& record : records) {
        if (record.type == journal::k_activity) read(record);
    }
}

void Planner::read(const journal::Record& record) {
    if (record.entity_type == "agent") return on_agent(record);
    if (record.entity_type == "company" || record.entity_type == "budget_policy") {
        return on_company(record);
    }
    const Reading reading(record);
    if (record.action == "issue.created") return on_issue_created(reading);
    if (record.action == "issue.updated") return on_issue_updated(reading);
    if (record.action == "issue.comment_added") return on_comment(reading);
    if (record.action == "issue.checked_out") return on_checkout(reading);
    if (record.action == "goal.updated") return on_goal_updated(reading);
}

void Planner::wake(const Reading& reading, const Id& agent, std::string_view reason,
                   const std::optional<Id>& issue, const std::optional<Id>& comment) {
    if (reading.record.agent_id == agent) return;
    Wake wake;
    wake.agent_id = agent;
    wake.source = reason == "issue_assigned" ? WakeSource::assignment : WakeSource::automation;
    wake.trigger_detail = TriggerDetail::system;
    wake.reason = reason;
    wake.cause_seq = reading.record.seq;
    if (reading.record.actor_type == word(ActorType::user)) {
        wake.requested_by = Actor::local_board();
        wake.requested_by.user_id = reading.record.actor_id;
    } else {
        wake.requested_by.user_id = reading.record.responsible_user_id.value_or("");
    }
    wake.context.wake_reason = reason;
    wake.context.wake_source = word(wake.source);
    wake.context.issue_id = issue;
    if (comment) {
        wake.context.comment_id = wake.context.wake_comment_id = comment;
        wake.context.wake_comment_ids = {*comment};
    }
    try {
        wakeups_.wish(wake);
    } catch (const Error& e) {
        // A storage that fails is tried again by the relay; anything else is about this wake alone.
        if (e.kind() == ErrorKind::unavailable) throw;
        log_warn("agent not woken",
                 {{"agent", agent.view()}, {"reason", reason}, {"error", e.message()}});
    }
}

void Planner::on_issue_created(const Reading& reading) {
    const auto assignee = reading.id("assigneeAgentId");
    if (!assignee || reading.text("status") == "backlog") return;
    wake(reading, *assignee, "issue_assigned", reading.entity());
}

void Planner::on_issue_updated(const Reading& reading) {
    const auto id = reading.entity();
    const auto issue =
        id ? core_.store.one<work::Issue>("issue.by_id"_sql, {{"id", *id}}) : std::nullopt;
    if (!issue) return;
    const std::string status = reading.text("status");
    const bool moved = !status.empty() && status != reading.previous("status");
    const bool reassigned = reading.details.contains("assigneeAgentId") &&
                            reading.text("assigneeAgentId") != reading.previous("assigneeAgentId");
    const bool workable =
        issue->status != work::IssueStatus::backlog && !work::is_terminal(issue->status);
    if (issue->assignee_agent_id && workable && (reassigned || (moved && status == "todo"))) {
        wake(reading, *issue->assignee_agent_id, "issue_assigned", issue->id);
    }
    if (moved && (status == "done" || status == "cancelled")) on_issue_finished(reading, *issue);
}

void Planner::on_issue_finished(const Reading& reading, const work::Issue& issue) {
    if (issue.status == work::IssueStatus::done) {
        for (const auto& free : issues_.unblocked_by(issue.id)) {
            if (free.assignee_agent_id) {
                wake(reading, *free.assignee_agent_id, "issue_blockers_resolved", free.id);
            }
        }
    }
    if (!issue.parent_id || !issues_.children_are_done(*issue.parent_id)) return;
    const auto parent = core_.store.one<work::Issue>("issue.by_id"_sql, {{"id", *issue.parent_id}});
    if (parent && parent->assignee_agent_id && !work::is_terminal(parent->status)) {
        wake(reading, *parent->assignee_agent_id, "issue_children_completed", parent->id);
    }
}

void Planner::on_comment(const Reading& reading) {
    const auto comment = reading.id("commentId");
    const auto assignee = reading.id("assigneeAgentId");
    const std::string status = reading.text("issueStatus");
    const bool open = status != "done" && status != "cancelled";
    std::optional<Id> told;
    if (assignee && open) {
        wake(reading, *assignee,
             reading.flag("reopened") ? "issue_reopened_via_comment" : "issue_commented",
             reading.entity(), comment);
        told = assignee;
    }
    const auto* mentioned = reading.details.if_contains("mentionedAgentIds");
    if (mentioned == nullptr || !mentioned->is_array()) return;
    for (const auto& entry : mentioned->get_array()) {
        const auto agent =
            entry.is_string() ? Id::parse(std::string_view(entry.get_string())) : std::nullopt;
        if (agent && agent != told) {
            wake(reading, *agent, "issue_comment_mentioned", reading.entity(), comment);
        }
    }
}

void Planner::on_checkout(const Reading& reading) {
    if (const auto agent = reading.id("agentId")) {
        wake(reading, *agent, "issue_checked_out", reading.entity());
    }
}

void Planner::on_goal_updated(const Reading& reading) {
    const auto id = reading.entity();
    const auto goal =
        id ? core_.store.one<work::Goal>("goal.by_id"_sql, {{"id", *id}}) : std::nullopt;
    if (goal && goal->owner_agent_id) wake(reading, *goal->owner_agent_id, "goal_changed", {});
}

void Planner::on_agent(const journal::Record& record) {
    const auto id = Id::parse(record.entity_id);
    if (!id) return;
    scheduler_.refresh(*id);
    wakeups_.repeat_turned_away(record.company_id);
    engine_.dispatch(*id);  // resumed, or allowed more
}

void Planner::on_company(const journal::Record& record) {
    const bool big =
        record.action == "company.updated" || record.action == "budget.policy_upserted";
    if (!big) return;
    scheduler_.refresh_company(record.company_id);
    wakeups_.repeat_turned_away(record.company_id);
    core_.store.each("run.agents_with_queued_of_company"_sql, {{"company_id", record.company_id}},
                     [&](storage::Row row) { engine_.dispatch(Id::trusted(row[0].as_text())); });
}

}  // namespace paperclip::runs
