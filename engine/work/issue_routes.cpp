#include "engine/work/setup.hpp"

#include <algorithm>

namespace paperclip::work {

using http::Call;
using http::Method;
using http::None;
using http::Rule;
using http::Subject;
using storage::operator""_sql;

namespace {

/// A changed issue, with what changed and the comment that came along.
struct IssuePatched : IssueView {
    Json changes;
    std::optional<Comment> comment;
};
BOOST_DESCRIBE_STRUCT(IssuePatched, (IssueView), (changes, comment))

struct CommentQuery {
    std::optional<Id> after;
    std::optional<Id> after_comment_id;
    std::optional<std::string> order;
    std::int64_t limit = 500;
};
BOOST_DESCRIBE_STRUCT(CommentQuery, (), (after, after_comment_id, order, limit))

struct ContextQuery {
    std::optional<Id> wake_comment_id;
};
BOOST_DESCRIBE_STRUCT(ContextQuery, (), (wake_comment_id))

struct ContextProject {
    Id id;
    std::string name;
    ProjectStatus status = ProjectStatus::backlog;
    std::optional<std::string> target_date;
};
BOOST_DESCRIBE_STRUCT(ContextProject, (), (id, name, status, target_date))

struct ContextGoal {
    Id id;
    std::string title;
    GoalStatus status = GoalStatus::planned;
    GoalLevel level = GoalLevel::task;
    std::optional<Id> parent_id;
};
BOOST_DESCRIBE_STRUCT(ContextGoal, (), (id, title, status, level, parent_id))

struct CommentCursor {
    std::int64_t total_comments = 0;
    std::optional<Id> latest_comment_id;
    std::optional<Time> latest_comment_at;
};
BOOST_DESCRIBE_STRUCT(CommentCursor, (), (total_comments, latest_comment_id, latest_comment_at))

/// What an agent needs to begin work on an issue, in one answer.
struct HeartbeatContext {
    IssueView issue;
    std::vector<IssueLink> ancestors;
    std::optional<ContextProject> project;
    std::optional<ContextGoal> goal;
    CommentCursor comment_cursor;
    std::optional<Comment> wake_comment;
};
BOOST_DESCRIBE_STRUCT(HeartbeatContext, (),
                      (issue, ancestors, project, goal, comment_cursor, wake_comment))

HeartbeatContext context_of(const Id& id, const ContextQuery& query, Issues& issues, Goals& goals,
                            Projects& projects) {
    HeartbeatContext context;
    context.issue = issues.view(id);
    context.ancestors = context.issue.ancestors;
    if (context.issue.project_id) {
        const auto p = projects.get(*context.issue.project_id);
        context.project = ContextProject{p.id, p.name, p.status, p.target_date};
    }
    if (context.issue.goal_id) {
        const auto g = goals.get(*context.issue.goal_id);
        context.goal = ContextGoal{g.id, g.title, g.status, g.level, g.parent_id};
    }
    const auto position = issues.comment_position(id);
    context.comment_cursor = {position.total, position.latest, position.latest_at};
    if (query.wake_comment_id) {
        context.wake_comment = issues.get_comment(id, *query.wake_comment_id);
    }
    return context;
}

Id comment_of(const Call& call) {
    if (const auto id = Id::parse(call.path_value("commentId"))) return *id;
    throw Error(ErrorKind::not_found, "Comment not found");
}

/// `{id}` is a UUID or an identifier such as ACM-12.
std::optional<http::Resolved> resolve(Core core, std::string_view text) {
    std::optional<http::Resolved> found;
    const auto take = [&](storage::Row row) {
        found = http::Resolved{Id::trusted(row[0].as_text()), Id::trusted(row[1].as_text())};
    };
    if (const auto id = Id::parse(text)) {
        core.store.each("issue.resolve"_sql, {{"id", *id}}, take);
    } else {
        std::string identifier(text);
        std::transform(identifier.begin(), identifier.end(), identifier.begin(),
                       [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
        core.store.each("issue.resolve_identifier"_sql, {{"identifier", identifier}}, take);
    }
    return found;
}

http::Answered<IssueView> create(Issues& issues, Call& call, const Patch<IssueInput>& input) {
    auto created = issues.create(call.actor, call.company_id, input);
    return {std::move(created.issue), created.is_new ? 201 : 200};
}

void add_comment_routes(http::Router& router, Issues& issues) {
    router.add<CommentQuery, None, std::vector<Comment>>(
        {Method::get, "/issues/{id}/comments", Rule::member, Subject::issue, "List the comments"},
        [&](Call& call, const CommentQuery& query) {
            return issues.comments(
                call.subject_id, query.after ? query.after : query.after_comment_id,
                query.order == "asc", std::clamp<std::int64_t>(query.limit, 1, 500));
        });

    router.add<None, CommentInput, Comment>({Method::post, "/issues/{id}/comments", Rule::member,
                                             Subject::issue, "Comment on an issue", 201},
                                            [&](Call& call, Patch<CommentInput>& input) {
                                                return issues.comment(call.actor, call.subject_id,
                                                                      input.value);
                                            });

    router.add<None, None, Comment>(
        {Method::get, "/issues/{id}/comments/{commentId}", Rule::member, Subject::issue,
         "Get a comment"},
        [&](Call& call) { return issues.get_comment(call.subject_id, comment_of(call)); });

    router.add<None, None, Comment>(
        {Method::delete_, "/issues/{id}/comments/{commentId}", Rule::member, Subject::issue,
         "Delete a comment; a mark that there was one stays"},
        [&](Call& call) {
            return issues.delete_comment(call.actor, call.subject_id, comment_of(call));
        });
}

void add_lease_routes(http::Router& router, Issues& issues) {
    router.add<None, CheckoutInput, Issue>(
        {Method::post, "/issues/{id}/checkout", Rule::member, Subject::issue,
         "Take an issue: exactly one caller succeeds"},
        [&](Call& call, Patch<CheckoutInput>& input) {
            return issues.checkout(call.actor, call.subject_id, input.value);
        });

    router.add<None, None, Issue>(
        {Method::post, "/issues/{id}/release", Rule::member, Subject::issue, "Give an issue back"},
        [&](Call& call) { return issues.release(call.actor, call.subject_id); });
}

}  // namespace

void add_issue_routes(http::Router& router, Core core, Issues& issues, Goals& goals,
                      Projects& projects) {
    router.resolve(Subject::issue, [core](std::string_view text, const http::Request&) {
        return resolve(core, text);
    });

    router.add<IssueFilter, None, std::vector<Issue>>(
        {Method::get, "/companies/{companyId}/issues", Rule::member, Subject::company,
         "List the issues, newest first"},
        [&](Call& call, const IssueFilter& filter) {
            return issues.list(call.company_id, filter);
        });

    router.add<None, IssueInput, IssueView>(
        {.method = Method::post,
         .path = "/companies/{companyId}/issues",
         .rule = Rule::member,
         .subject = Subject::company,
         .summary = "Create an issue; 200 when it was there already",
         .status = 201,
         .other_status = 200},
        [&](Call& call, Patch<IssueInput>& input) { return create(issues, call, input); });

    router.add<None, IssueInput, IssueView>(
        {.method = Method::post,
         .path = "/issues/{id}/children",
         .rule = Rule::member,
         .subject = Subject::issue,
         .summary = "Create a sub-issue; 200 when it was there already",
         .status = 201,
         .other_status = 200},
        [&](Call& call, Patch<IssueInput>& input) {
            input.set(&IssueInput::parent_id, std::optional(call.subject_id));
            input.set(&IssueInput::request_depth, issues.get(call.subject_id).request_depth + 1);
            return create(issues, call, input);
        });

    router.add<None, None, IssueView>(
        {Method::get, "/issues/{id}", Rule::member, Subject::issue, "Get an issue"},
        [&](Call& call) { return issues.view(call.subject_id); });

    router.add<None, IssueInput, IssuePatched>(
        {Method::patch, "/issues/{id}", Rule::member, Subject::issue, "Change an issue"},
        [&](Call& call, Patch<IssueInput>& input) {
            auto changed = issues.patch(call.actor, call.subject_id, input);
            IssuePatched answer;
            static_cast<IssueView&>(answer) = std::move(changed.issue);
            answer.changes = Json::trusted(std::move(changed.changes));
            answer.comment = std::move(changed.comment);
            return answer;
        });

    router.add<None, None, IssueView>(
        {Method::delete_, "/issues/{id}", Rule::member, Subject::issue, "Delete an issue"},
        [&](Call& call) {
            if (call.actor.is_agent() &&
                issues.get(call.subject_id).assignee_agent_id != call.actor.agent_id) {
                throw Error(ErrorKind::forbidden, "Agent cannot mutate another agent's issue");
            }
            return issues.remove(call.actor, call.subject_id);
        });

    router.add<ContextQuery, None, HeartbeatContext>(
        {Method::get, "/issues/{id}/heartbeat-context", Rule::member, Subject::issue,
         "What an agent needs to begin work on the issue"},
        [&](Call& call, const ContextQuery& query) {
            return context_of(call.subject_id, query, issues, goals, projects);
        });

    router.add<None, None, std::vector<InboxItem>>(
        {Method::get, "/agents/me/inbox-lite", Rule::agent, Subject::none,
         "The issues that the calling agent has to work on"},
        [&](Call& call) { return issues.inbox(*call.actor.agent_id); });

    add_lease_routes(router, issues);
    add_comment_routes(router, issues);
}

}  // namespace paperclip::work
