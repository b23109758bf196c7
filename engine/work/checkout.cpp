#include "engine/work/issues.hpp"

namespace paperclip::work {

using storage::operator""_sql;

namespace {

void write_optional(JsonWriter& w, std::string_view name, const std::optional<Id>& id) {
    w.key(name);
    id ? w.value(id->view()) : w.null();
}

std::string lease_details(const Issue& issue) {
    std::string details;
    JsonWriter w(details);
    w.begin_object().member("issueId", issue.id.view()).member("status", word(issue.status));
    write_optional(w, "assigneeAgentId", issue.assignee_agent_id);
    write_optional(w, "checkoutRunId", issue.checkout_run_id);
    write_optional(w, "executionRunId", issue.execution_run_id);
    if (issue.execution_locked_at) w.member("lockedAt", *issue.execution_locked_at);
    w.end_object();
    return details;
}

}  // namespace

void Issues::refuse_checkout(const Issue& issue) {
    throw Error(ErrorKind::conflict, "Issue checkout conflict", {}, lease_details(issue));
}

Issue Issues::checkout(const Actor& actor, const Id& id, const CheckoutInput& input) {
    if (actor.is_agent() && actor.agent_id != input.agent_id) {
        throw Error(ErrorKind::forbidden, "Agent can only checkout as itself");
    }
    if (actor.is_agent() && !actor.run_id) {
        throw Error(ErrorKind::unauthenticated, "Agent run id required");
    }
    Issue before = get(id);
    must_be_agent_of(core_.store, before.company_id, input.agent_id, "Assignee agent not found");
    // What is the caller's already stays the caller's, however often it asks.
    const bool mine =
        before.status == IssueStatus::in_progress && before.assignee_agent_id == input.agent_id;
    if (mine && (before.checkout_run_id == actor.run_id || !actor.run_id)) return before;

    const auto open = unresolved_blockers(id);
    if (!open.empty()) refuse_blocked(open);

    storage::Composition composition{.lists = {{"statuses", input.expected_statuses.size()}}};
    std::vector<std::string> names;
    for (std::size_t i = 0; i < input.expected_statuses.size(); ++i) {
        names.push_back("statuses_" + std::to_string(i));
    }
    std::vector<storage::Arg> args{{"id", id},
                                   {"agent_id", input.agent_id},
                                   {"run_id", actor.run_id},
                                   {"now", core_.clock.now()}};
    for (std::size_t i = 0; i < names.size(); ++i) {
        args.emplace_back(names[i], input.expected_statuses[i]);
    }

    Issue after;
    storage::Unit unit = core_.store.unit();
    if (actor.run_id) {
        unit.add("issue.run_is_live"_sql, {{"run_id", *actor.run_id}, {"agent_id", input.agent_id}})
            .otherwise([&] { refuse_checkout(get(id)); });
    }
    if (mine) {
        unit.add("issue.adopt"_sql, {{"id", id},
                                     {"agent_id", input.agent_id},
                                     {"run_id", actor.run_id},
                                     {"now", core_.clock.now()}})
            .into(after)
            .otherwise([&] { refuse_checkout(get(id)); });
    } else {
        unit.add(core_.store.compose("issue.checkout"_sql, composition), args)
            .into(after)
            .otherwise([&] { refuse_checkout(get(id)); });
    }
    std::string details;
    JsonWriter(details)
        .begin_object()
        .member("agentId", input.agent_id.view())
        .member("status", word(before.status))
        .end_object();
    core_.journal.activity(unit, actor,
                           {before.company_id, "issue.checked_out", "issue", id.str(), details});
    core_.store.submit(unit);
    return after;
}

Issue Issues::release(const Actor& actor, const Id& id) {
    const Issue before = get(id);
    if (actor.is_agent()) {
        const bool own = before.assignee_agent_id == actor.agent_id;
        const bool same_run = !before.execution_run_id || before.execution_run_id == actor.run_id;
        if (!own || !same_run) {
            throw Error(ErrorKind::conflict,
                        "Another agent's run owns this task (Run checkout lock). Comment instead, "
                        "or wait for the run to end.",
                        {}, lease_details(before));
        }
    }
    Issue after;
    storage::Unit unit = core_.store.unit();
    unit.add("issue.release"_sql,
             {{"id", id}, {"seen_version", before.row_version}, {"now", core_.clock.now()}})
        .into(after);
    core_.journal.activity(unit, actor, {before.company_id, "issue.released", "issue", id.str()});
    core_.store.submit(unit);
    return after;
}

void Issues::add_lease_for_run(storage::Unit& unit, const Id& issue, const Id& agent,
                               const Id& run) {
    unit.add("issue.lease_for_run"_sql,
             {{"id", issue}, {"agent_id", agent}, {"run_id", run}, {"now", core_.clock.now()}})
        .any();
}

void Issues::add_end_leases(storage::Unit& unit, const Id& run) {
    unit.add("issue.end_leases_of_run"_sql, {{"run_id", run}}).any();
}

std::vector<IssueLink> Issues::unresolved_blockers(const Id& issue) {
    return core_.store.all<IssueLink>("issue.unresolved_blockers"_sql, {{"id", issue}});
}

std::vector<Issue> Issues::unblocked_by(const Id& issue) {
    return core_.store.all<Issue>("issue.unblocked_by"_sql, {{"id", issue}});
}

bool Issues::children_are_done(const Id& issue) {
    bool done = false;
    core_.store.each("issue.open_children"_sql, {{"id", issue}}, [&](storage::Row row) {
        done = row[0].as_integer() > 0 && row[1].as_integer() == 0;
    });
    return done;
}

std::vector<InboxItem> Issues::inbox(const Id& agent) {
    std::vector<InboxItem> items;
    core_.store.each("issue.inbox"_sql, {{"agent_id", agent}}, [&](storage::Row row) {
        InboxItem& item = items.emplace_back();
        const auto& fields = struct_of<InboxItem>().fields();
        for (std::size_t i = 0; i < row.size(); ++i) {
            fields[i].type->from_column(row[i], fields[i].in(&item));
        }
    });
    for (InboxItem& item : items) {
        for (const IssueLink& blocker : unresolved_blockers(item.id)) {
            item.unresolved_blocker_issue_ids.push_back(blocker.id);
        }
        item.unresolved_blocker_count =
            static_cast<std::int64_t>(item.unresolved_blocker_issue_ids.size());
        item.dependency_ready = item.unresolved_blocker_count == 0;
    }
    return items;
}

bool Issues::has_work(const Id& agent) {
    return core_.store.integer("issue.has_work"_sql, {{"agent_id", agent}}).has_value();
}

}  // namespace paperclip::work
