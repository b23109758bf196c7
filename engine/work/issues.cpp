#include "engine/work/issues.hpp"

#include "engine/work/projects.hpp"

#include <algorithm>
#include <charconv>

namespace paperclip::work {

using storage::operator""_sql;

namespace {

constexpr Duration k_remember_keys = std::chrono::hours(24 * 7);
constexpr Duration k_remember_titles = std::chrono::hours(1);

[[noreturn]] void issue_not_found() {
    throw Error(ErrorKind::not_found, "Issue not found");
}

/// `{"title":{"from":…,"to":…},…}` of what differs.
std::string changes_between(const Issue& before, const Issue& after) {
    std::string out;
    JsonWriter writer(out);
    writer.begin_object();
    for (const Field& field : struct_of<Issue>().fields()) {
        if (!field.rule.sent || field.name == "updated_at") continue;
        std::string from;
        std::string to;
        field.type->write(from, field.in(static_cast<const void*>(&before)));
        field.type->write(to, field.in(static_cast<const void*>(&after)));
        if (from == to) continue;
        writer.key(field.wire).begin_object().key("from").raw(from).key("to").raw(to).end_object();
    }
    writer.end_object();
    return out;
}

[[noreturn]] void refuse_issue_cycle() {
    refuse("An issue cannot be below itself");
}

std::int64_t number_or(const std::optional<std::string>& text, std::int64_t fallback,
                       std::int64_t least, std::int64_t most, const char* message) {
    if (!text) return fallback;
    std::int64_t value = 0;
    const char* const end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, value);
    if (error != std::errc{} || at != end || value < least) {
        throw Error(ErrorKind::invalid, message);
    }
    return std::min(value, most);
}

std::string like_pattern(std::string_view text) {
    std::string pattern = "%";
    for (const char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern + '%';
}

}  // namespace

void apply_status(Issue& issue, IssueStatus status, Time now) {
    if (issue.status == status) return;
    issue.status = status;
    ++issue.status_version;
    if (status == IssueStatus::in_progress && !issue.started_at) issue.started_at = now;
    issue.completed_at = status == IssueStatus::done ? std::optional(now) : std::nullopt;
    issue.cancelled_at = status == IssueStatus::cancelled ? std::optional(now) : std::nullopt;
}

void Issues::refuse_blocked(const std::vector<IssueLink>& blockers) {
    std::string details;
    JsonWriter w(details);
    w.begin_object().key("unresolvedBlockerIssueIds").begin_array();
    for (const auto& blocker : blockers) w.value(blocker.id.view());
    w.end_array().key("unresolvedBlockers").begin_array();
    for (const auto& blocker : blockers) {
        w.begin_object().member("issueId", blocker.id.view());
        w.member("identifier", blocker.identifier.value_or("")).member("title", blocker.title);
        w.member("reason", "not_done").end_object();
    }
    w.end_array().end_object();
    throw Error(ErrorKind::unprocessable, "Issue is blocked by unresolved blockers", {}, details);
}

/// Everything that the issue names must be of its company, and the tree must stay a tree.
void Issues::check_places(const Issue& issue) {
    must_be_agent_of(core_.store, issue.company_id, issue.assignee_agent_id);
    const auto is_foreign = [&](const storage::StatementName& statement, const Id& id) {
        bool foreign = true;
        core_.store.each(statement, {{"id", id}}, [&](storage::Row row) {
            foreign = row[1].as_text() != issue.company_id.view();
        });
        return foreign;
    };
    if (issue.project_id && is_foreign("project.resolve"_sql, *issue.project_id)) {
        throw Error(ErrorKind::not_found, "Project not found");
    }
    if (issue.goal_id) {
        const auto goal = core_.store.one<Goal>("goal.by_id"_sql, {{"id", *issue.goal_id}});
        if (!goal || goal->company_id != issue.company_id) {
            throw Error(ErrorKind::not_found, "Goal not found");
        }
    }
    if (!issue.parent_id) return;
    if (*issue.parent_id == issue.id) refuse("An issue cannot be its own parent");
    if (is_foreign("issue.resolve"_sql, *issue.parent_id)) {
        throw Error(ErrorKind::not_found, "Parent issue not found");
    }
    for (const IssueLink& ancestor : ancestors(*issue.parent_id)) {
        if (ancestor.id == issue.id) refuse_issue_cycle();
    }
}

void Issues::add_blockers(storage::Unit& unit, const Issue& issue,
                          const std::vector<Id>& blockers) {
    for (const Id& blocker : blockers) {
        unit.add("issue.add_blocker"_sql, {{"issue_id", issue.id},
                                           {"blocker_id", blocker},
                                           {"company_id", issue.company_id},
                                           {"now", core_.clock.now()}})
            .otherwise([] {
                refuse(
                    "A blocker must be another issue of the same company, and must not wait for "
                    "this one");
            });
    }
}

storage::Unit::Added Issues::add_create(storage::Unit& unit, const Actor& actor, Issue& issue,
                                        const std::vector<Id>& blockers) {
    issue.id = core_.ids.next();
    issue.created_at = issue.updated_at = core_.clock.now();
    if (actor.is_agent()) issue.created_by_agent_id = actor.agent_id;
    if (actor.is_board()) issue.created_by_user_id = actor.user_id;
    issue.origin_run_id = actor.run_id;
    if (!issue.responsible_user_id && !actor.user_id.empty()) {
        issue.responsible_user_id = actor.user_id;
    }
    unit.add("company.next_issue_number"_sql, {{"id", issue.company_id}});
    unit.add_row("issue.insert"_sql, issue);
    auto numbered = unit.add("issue.number"_sql, {{"id", issue.id}});
    add_blockers(unit, issue, blockers);
    std::string details;
    JsonWriter w(details);
    w.begin_object().member("title", issue.title).member("status", word(issue.status));
    if (issue.assignee_agent_id) w.member("assigneeAgentId", issue.assignee_agent_id->view());
    if (issue.parent_id) w.member("parentId", issue.parent_id->view());
    w.end_object();
    core_.journal.activity(unit, actor,
                           {issue.company_id, "issue.created", "issue", issue.id.str(), details});
    return numbered;
}

std::optional<IssueView> Issues::duplicate_of(const Actor& actor, const Id& company,
                                              const IssueInput& input) {
    const auto found = [&](const std::optional<Issue>& issue, const char* reason) {
        std::optional<IssueView> duplicate;
        if (!issue) return duplicate;
        duplicate = view(issue->id);
        duplicate->deduplicated = true;
        duplicate->deduplication_reason = reason;
        return duplicate;
    };
    const Time now = core_.clock.now();
    if (input.idempotency_key) {
        return found(core_.store.one<Issue>("issue.by_idempotency_key"_sql,
                                            {{"company_id", company},
                                             {"key", *input.idempotency_key},
                                             {"since", now - k_remember_keys}}),
                     "idempotency_key");
    }
    if (!actor.is_agent() || input.allow_duplicate) return std::nullopt;
    return found(
        core_.store.one<Issue>("issue.recent_with_title"_sql, {{"company_id", company},
                                                               {"agent_id", actor.agent_id},
                                                               {"title", input.title},
                                                               {"parent_id", input.parent_id},
                                                               {"since", now - k_remember_titles}}),
        "recent_open_title");
}

Issues::Created Issues::create(const Actor& actor, const Id& company,
                               const Patch<IssueInput>& input) {
    if (auto known = duplicate_of(actor, company, input.value)) return {std::move(*known), false};

    Issue issue = input.value;
    issue.company_id = company;
    const bool assigned = issue.assignee_agent_id || issue.assignee_user_id;
    if (!input.has(&IssueInput::status)) {
        issue.status = assigned ? IssueStatus::todo : IssueStatus::backlog;
    }
    const IssueStatus wanted = issue.status;
    issue.status = IssueStatus::backlog;
    apply_status(issue, wanted, core_.clock.now());
    issue.status_version = 0;
    if (issue.assignee_agent_id) may_assign(actor, issue);
    check_places(issue);
    if (!issue.project_id && issue.parent_id) issue.project_id = get(*issue.parent_id).project_id;
    if (!issue.goal_id) {
        const auto goal =
            core_.store.text("goal.default_of_company"_sql, {{"company_id", company}});
        if (goal) issue.goal_id = Id::trusted(*goal);
    }
    const auto blockers = input.value.blocked_by_issue_ids.value_or(std::vector<Id>{});
    check_status(actor, Issue{}, issue, &blockers);

    storage::Unit unit = core_.store.unit();
    add_create(unit, actor, issue, blockers).each([&](storage::Row row) {
        issue.issue_number = row[0].as_integer();
        issue.identifier = std::string(row[1].as_text());
    });
    const auto& key = input.value.idempotency_key;
    if (key) {
        const Time since = core_.clock.now() - k_remember_keys;
        unit.add("issue.forget_keys"_sql, {{"company_id", company}, {"since", since}}).any();
        // Somebody else may be creating with the same key at this moment: one of us wins.
        unit.add("issue.remember_key"_sql, {{"company_id", company},
                                            {"key", *key},
                                            {"issue_id", issue.id},
                                            {"created_at", core_.clock.now()},
                                            {"since", since}})
            .otherwise([] { throw storage::Conflict(0, "idempotencyKey"); });
    }
    try {
        core_.store.submit(unit);
    } catch (const storage::Conflict&) {
        if (auto known = duplicate_of(actor, company, input.value)) {
            return {std::move(*known), false};
        }
        throw;
    }
    IssueView view;
    static_cast<Issue&>(view) = issue;
    if (!blockers.empty()) view = this->view(issue.id);
    return {std::move(view), true};
}

Issue Issues::get(const Id& id) {
    auto issue = core_.store.one<Issue>("issue.by_id"_sql, {{"id", id}});
    if (!issue) issue_not_found();
    return *issue;
}

std::vector<IssueLink> Issues::ancestors(const Id& issue) {
    return core_.store.all<IssueLink>("issue.ancestors"_sql, {{"id", issue}});
}

IssueView Issues::view(const Id& id) {
    IssueView view;
    static_cast<Issue&>(view) = get(id);
    view.blocked_by = core_.store.all<IssueLink>("issue.blocked_by"_sql, {{"id", id}});
    view.blocks = core_.store.all<IssueLink>("issue.blocks"_sql, {{"id", id}});
    if (view.parent_id) view.ancestors = ancestors(id);
    return view;
}

std::vector<Issue> Issues::list(const Id& company, const IssueFilter& filter) {
    storage::Composition composition;
    std::vector<storage::Arg> args{{"company_id", company}};
    std::vector<std::string> statuses;
    std::vector<std::string> names;
    if (filter.status) {
        for (std::size_t from = 0; from <= filter.status->size();) {
            const auto to = std::min(filter.status->find(',', from), filter.status->size());
            statuses.push_back(filter.status->substr(from, to - from));
            from = to + 1;
        }
        composition.parts.push_back("status");
        composition.lists["status"] = statuses.size();
        for (std::size_t i = 0; i < statuses.size(); ++i) {
            names.push_back("status_" + std::to_string(i));
        }
    }
    for (std::size_t i = 0; i < statuses.size(); ++i) args.emplace_back(names[i], statuses[i]);
    if (filter.assignee_agent_id == "null") {
        composition.parts.push_back("unassigned");
    } else if (filter.assignee_agent_id) {
        if (!Id::parse(*filter.assignee_agent_id)) {
            refuse("assigneeAgentId must be a UUID or 'null'");
        }
        composition.parts.push_back("assignee");
        args.emplace_back("assignee", *filter.assignee_agent_id);
    }
    std::string user = filter.assignee_user_id.value_or("");
    if (user == "me") user = "local-board";
    const auto add = [&](std::string_view part, bool wanted, storage::Arg arg) {
        if (!wanted) return;
        composition.parts.push_back(part);
        args.push_back(arg);
    };
    const std::string pattern = like_pattern(filter.q.value_or(""));
    add("assignee_user", filter.assignee_user_id.has_value(), {"assignee_user", user});
    add("project", filter.project_id.has_value(), {"project", filter.project_id});
    add("goal", filter.goal_id.has_value(), {"goal", filter.goal_id});
    add("parent", filter.parent_id.has_value(), {"parent", filter.parent_id});
    add("text", filter.q && !filter.q->empty(), {"text", pattern});

    const std::string sort = filter.sort_field.value_or("");
    if (!sort.empty() && sort != "updated" && sort != "id") {
        throw Error(ErrorKind::invalid, "sortField must be 'updated' or 'id' when provided");
    }
    composition.parts.push_back(sort != "updated"          ? "created"
                                : filter.sort_dir == "asc" ? "updated_asc"
                                                           : "updated_desc");
    args.emplace_back("limit", number_or(filter.limit, 500, 1, 1000,
                                         "limit must be a positive integer up to 1000"));
    args.emplace_back("offset", number_or(filter.offset, 0, 0, 1'000'000'000,
                                          "offset must be a non-negative integer"));
    return core_.store.all<Issue>(core_.store.compose("issue.list"_sql, composition), args);
}

IssueView Issues::remove(const Actor& actor, const Id& id) {
    IssueView issue = view(id);
    storage::Unit unit = core_.store.unit();
    unit.add("issue.delete"_sql, {{"id", id}}).otherwise([] {
        throw Error(ErrorKind::conflict, "The issue still has sub-issues");
    });
    core_.journal.activity(unit, actor, {issue.company_id, "issue.deleted", "issue", id.str()});
    core_.store.submit(unit);
    return issue;
}

void Issues::may_assign(const Actor& actor, const Issue& issue) {
    if (!actor.is_agent() || issue.assignee_agent_id == actor.agent_id) return;
    const auto agent = core_.store.one<agents::Agent>("agent.by_id"_sql, {{"id", *actor.agent_id}});
    if (agent && agent->permissions.can_assign_tasks != false) return;
    throw Error(ErrorKind::forbidden, "Missing permission: tasks:assign", {},
                R"({"reason":"deny_no_grant"})");
}

void Issues::may_change(const Actor& actor, const Issue& issue, const Edit& edit) {
    if (!actor.is_agent()) return;
    const bool comment_only = edit.change.present.none() && !edit.blockers;
    if (comment_only || !issue.assignee_agent_id) return;
    const bool in_progress = issue.status == IssueStatus::in_progress;
    if (issue.assignee_agent_id != actor.agent_id) {
        if (in_progress) {
            throw Error(ErrorKind::conflict, "Issue is checked out by another agent", {},
                        R"({"code":"issue_write_assignee_run_lock"})");
        }
        throw Error(ErrorKind::forbidden, "Agent cannot mutate another agent's issue");
    }
    if (!in_progress || !issue.execution_run_id) return;
    if (!actor.run_id) throw Error(ErrorKind::unauthenticated, "Agent run id required");
    if (issue.execution_run_id != actor.run_id) {
        throw Error(ErrorKind::conflict, "Issue run ownership conflict", "run_ownership_conflict");
    }
}

void Issues::check_status(const Actor& actor, const Issue& before, const Issue& after,
                          const std::vector<Id>* blockers) {
    if (after.assignee_agent_id && after.assignee_user_id) {
        refuse("Issue can only have one assignee");
    }
    if (after.status == before.status && blockers == nullptr) return;
    const bool assigned = after.assignee_agent_id || after.assignee_user_id;
    if (after.status == IssueStatus::in_progress && !assigned) {
        refuse("in_progress issues require an assignee");
    }
    const bool asks_blockers =
        after.status == IssueStatus::in_progress || after.status == IssueStatus::blocked;
    if (asks_blockers && after.status != before.status) {
        std::vector<IssueLink> open;
        if (blockers == nullptr) {
            open = unresolved_blockers(after.id);
        } else {
            for (const Id& id : *blockers) {
                const Issue blocker = get(id);
                if (blocker.status == IssueStatus::done) continue;
                open.push_back({id,
                                blocker.identifier,
                                blocker.title,
                                blocker.status,
                                blocker.priority,
                                {},
                                {}});
            }
        }
        if (after.status == IssueStatus::in_progress && !open.empty()) refuse_blocked(open);
        if (after.status == IssueStatus::blocked && open.empty()) {
            refuse(
                "Entering blocked requires unresolved blockers, a pending interaction/approval, "
                "or unblockDescriptor");
        }
    }
    // Work that an agent hands in for review must reach a reviewer.
    if (actor.is_agent() && after.status == IssueStatus::in_review &&
        before.status != IssueStatus::in_review && !after.assignee_user_id &&
        (!after.assignee_agent_id || after.assignee_agent_id == actor.agent_id)) {
        refuse("in_review needs a reviewer: assign the issue to a person or to another agent");
    }
}

Issues::Changed Issues::patch(const Actor& actor, const Id& id, const Patch<IssueInput>& input) {
    Edit edit{base_of<Issue>(input), input.value.blocked_by_issue_ids, {}, false};
    if (!input.has(&IssueInput::blocked_by_issue_ids)) edit.blockers.reset();
    if (input.value.comment) {
        edit.comment = CommentInput{.body = *input.value.comment};
        edit.reopen = input.value.reopen || input.value.resume;
    }
    return this->edit(actor, id, edit);
}

Issues::Changed Issues::edit(const Actor& actor, const Id& id, const Edit& edit) {
    constexpr int k_attempts = 20;
    for (int attempt = 1;; ++attempt) {
        try {
            return try_edit(actor, get(id), edit);
        } catch (const storage::Conflict&) {
            // Somebody changed it between our reading and our writing: decide again.
            if (attempt == k_attempts) throw;
        }
    }
}

Issues::Changed Issues::try_edit(const Actor& actor, const Issue& before, const Edit& edit) {
    may_change(actor, before, edit);
    Patch<Issue> change = edit.change;
    if (edit.reopen && !change.has(&Issue::status) && before.status != IssueStatus::todo) {
        change.set(&Issue::status, IssueStatus::todo);
    }
    // A new assignee of one kind replaces the old one of the other.
    if (change.value.assignee_agent_id && !change.has(&Issue::assignee_user_id)) {
        change.set(&Issue::assignee_user_id, std::optional<std::string>{});
    }
    if (change.value.assignee_user_id && !change.has(&Issue::assignee_agent_id)) {
        change.set(&Issue::assignee_agent_id, std::optional<Id>{});
    }
    Issue after = before;
    change.apply_to(after);
    const IssueStatus wanted = after.status;
    after.status = before.status;
    apply_status(after, wanted, core_.clock.now());
    const bool moved = after.status != before.status;
    const bool reassigned = after.assignee_agent_id != before.assignee_agent_id ||
                            after.assignee_user_id != before.assignee_user_id;
    check_status(actor, before, after, edit.blockers ? &*edit.blockers : nullptr);
    if (reassigned && after.assignee_agent_id) may_assign(actor, after);
    const bool places = change.has(&Issue::project_id) || change.has(&Issue::goal_id) ||
                        change.has(&Issue::parent_id) || reassigned;
    if (places) check_places(after);

    after.updated_at = core_.clock.now();
    change.set(&Issue::updated_at, after.updated_at);
    std::vector<std::string_view> parts;
    if (moved) {
        change.set(&Issue::status, after.status);
        change.set(&Issue::status_version, after.status_version);
        change.set(&Issue::started_at, after.started_at);
        change.set(&Issue::completed_at, after.completed_at);
        change.set(&Issue::cancelled_at, after.cancelled_at);
    }
    if (moved || reassigned) {
        change.set(&Issue::row_version, before.row_version + 1);
        parts.push_back("version");
        parts.push_back("end");
    }
    storage::Unit unit = core_.store.unit();
    Changed result;
    unit.add_patch("issue.patch"_sql, change, parts,
                   {{"id", before.id}, {"seen_version", before.row_version}})
        .into(after)
        .otherwise([&] {
            if (!core_.store.text("issue.resolve"_sql, {{"id", before.id}})) issue_not_found();
        });
    if (change.has(&Issue::parent_id)) {
        unit.add("issue.is_in_tree"_sql, {{"id", before.id}}).otherwise([] {
            refuse_issue_cycle();
        });
    }
    if (edit.blockers) {
        unit.add("issue.clear_blockers"_sql, {{"issue_id", before.id}}).any();
        add_blockers(unit, before, *edit.blockers);
    }
    // Before the change is told: the wake for the comment is the one that needs a run of its own,
    // and that for an assignment can join it.
    if (edit.comment) {
        result.comment = add_comment(unit, actor, after, *edit.comment, moved && edit.reopen);
    }
    if (edit.change.present.any() || moved || edit.blockers) {
        std::string details = changed_members(change);
        details.pop_back();
        std::string previous;
        JsonWriter w(previous);
        w.begin_object().member("status", word(before.status)).key("assigneeAgentId");
        before.assignee_agent_id ? w.value(before.assignee_agent_id->view()) : w.null();
        w.end_object();
        details += ",\"_previous\":" + previous + "}";
        core_.journal.activity(
            unit, actor, {before.company_id, "issue.updated", "issue", before.id.str(), details});
    }
    core_.store.submit(unit);
    result.changes = changes_between(before, after);
    result.issue = view(before.id);
    return result;
}

}  // namespace paperclip::work
