#include "engine/base/utf8.hpp"
#include "engine/work/issues.hpp"

#include <algorithm>

namespace paperclip::work {

using storage::operator""_sql;

namespace {

[[noreturn]] void comment_not_found() {
    throw Error(ErrorKind::not_found, "Comment not found");
}

/// Command lines often carry a two-character \n where a line break was meant.
std::string with_line_breaks(std::string body) {
    if (body.find('\n') != std::string::npos) return body;
    for (std::size_t at = 0; (at = body.find("\\n", at)) != std::string::npos; ++at) {
        body.replace(at, 2, "\n");
    }
    return body;
}

bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

/// Does `body` (in lower case) have "@name" as a word of its own?
bool mentions_name(std::string_view body, std::string_view name) {
    if (name.empty()) return false;
    const std::string mark = "@" + std::string(name);
    for (auto at = body.find(mark); at != std::string_view::npos; at = body.find(mark, at + 1)) {
        const auto end = at + mark.size();
        const bool starts = at == 0 || !is_word_char(body[at - 1]);
        if (starts && (end == body.size() || !is_word_char(body[end]))) return true;
    }
    return false;
}

}  // namespace

std::vector<Id> Issues::mentions(const Id& company, const std::string& body) {
    std::vector<Id> found;
    if (body.find('@') == std::string::npos && body.find("agent://") == std::string::npos) {
        return found;
    }
    const std::string text = lower(body);
    core_.store.each("comment.mentionable"_sql, {{"company_id", company}}, [&](storage::Row row) {
        const bool named =
            mentions_name(text, lower(row[1].as_text())) || mentions_name(text, row[2].as_text()) ||
            text.find("agent://" + std::string(row[0].as_text())) != std::string::npos;
        if (named) found.push_back(Id::trusted(row[0].as_text()));
    });
    return found;
}

Comment Issues::add_comment(storage::Unit& unit, const Actor& actor, const Issue& issue,
                            const CommentInput& input, bool reopened) {
    Comment comment;
    comment.id = core_.ids.next();
    comment.company_id = issue.company_id;
    comment.issue_id = issue.id;
    comment.author_type = actor.is_agent()   ? AuthorType::agent
                          : actor.is_board() ? AuthorType::user
                                             : AuthorType::system;
    comment.author_agent_id = actor.agent_id;
    if (actor.is_board()) comment.author_user_id = actor.user_id;
    comment.created_by_run_id = actor.run_id;
    comment.body = with_line_breaks(input.body);
    if (!actor.is_agent()) comment.presentation = input.presentation;
    comment.metadata = input.metadata;
    comment.created_at = comment.updated_at = core_.clock.now();
    unit.add_row("comment.insert"_sql, comment);

    std::string details;
    JsonWriter w(details);
    w.begin_object().member("commentId", comment.id.view());
    w.member("bodySnippet", core_.journal.snippet(comment.body, 120));
    w.member("identifier", issue.identifier.value_or("")).member("issueTitle", issue.title);
    w.member("issueStatus", word(issue.status)).member("reopened", reopened);
    if (issue.assignee_agent_id) w.member("assigneeAgentId", issue.assignee_agent_id->view());
    w.key("mentionedAgentIds").begin_array();
    for (const Id& agent : mentions(issue.company_id, comment.body)) w.value(agent.view());
    w.end_array().end_object();
    core_.journal.activity(
        unit, actor, {issue.company_id, "issue.comment_added", "issue", issue.id.str(), details});
    return comment;
}

Comment Issues::comment(const Actor& actor, const Id& id, const CommentInput& input) {
    if (actor.is_agent() && !actor.run_id) {
        throw Error(ErrorKind::forbidden,
                    "Cross-issue writes need a run to attribute them to (Heartbeat run context)",
                    "cross_issue_influence_run_context_required",
                    R"({"code":"cross_issue_influence_run_context_required"})");
    }
    const Issue issue = get(id);
    // What a person says on a finished issue is a wish for more; an agent must say so itself.
    const bool finished = is_terminal(issue.status) ||
                          (issue.status == IssueStatus::blocked && unresolved_blockers(id).empty());
    const bool by_person = actor.is_board() && finished && issue.assignee_agent_id;
    Edit edit;
    edit.comment = input;
    edit.reopen = by_person || input.reopen || input.resume;
    return *this->edit(actor, id, edit).comment;
}

void Issues::add_run_comment(storage::Unit& unit, const Actor& agent, const Id& issue,
                             const std::string& body) {
    add_comment(unit, agent, get(issue), CommentInput{.body = body}, false);
}

std::vector<Comment> Issues::comments(const Id& issue, const std::optional<Id>& after,
                                      bool ascending, std::int64_t limit) {
    storage::Composition composition{.parts = {ascending ? "asc" : "desc"}};
    std::vector<storage::Arg> args{{"issue_id", issue}, {"limit", limit}};
    if (after) {
        composition.parts.push_back("after");
        args.emplace_back("after", *after);
    }
    return core_.store.all<Comment>(core_.store.compose("comment.list"_sql, composition), args);
}

Comment Issues::get_comment(const Id& issue, const Id& id) {
    auto comment = core_.store.one<Comment>("comment.by_id"_sql, {{"id", id}, {"issue_id", issue}});
    if (!comment) comment_not_found();
    return *comment;
}

Comment Issues::delete_comment(const Actor& actor, const Id& issue, const Id& id) {
    Comment comment = get_comment(issue, id);
    if (actor.is_agent() && comment.author_agent_id != actor.agent_id) {
        throw Error(ErrorKind::forbidden, "Only the author or the board may delete a comment");
    }
    std::optional<std::string> user;
    if (actor.is_board()) user = actor.user_id;
    storage::Unit unit = core_.store.unit();
    unit.add("comment.delete"_sql, {{"id", id},
                                    {"issue_id", issue},
                                    {"now", core_.clock.now()},
                                    {"type", actor.is_agent() ? "agent" : "user"},
                                    {"agent_id", actor.agent_id},
                                    {"user_id", user},
                                    {"run_id", actor.run_id}})
        .into(comment)
        .otherwise([] { comment_not_found(); });
    std::string details;
    JsonWriter(details).begin_object().member("commentId", id.view()).end_object();
    core_.journal.activity(
        unit, actor, {comment.company_id, "issue.comment_deleted", "issue", issue.str(), details});
    core_.store.submit(unit);
    return comment;
}

Issues::CommentPosition Issues::comment_position(const Id& issue) {
    CommentPosition position;
    core_.store.each("comment.position"_sql, {{"issue_id", issue}}, [&](storage::Row row) {
        position.total = row[0].as_integer();
        if (!row[1].is_null()) position.latest = Id::trusted(row[1].as_text());
        if (!row[2].is_null()) position.latest_at = Time{Duration{row[2].as_integer()}};
    });
    return position;
}

}  // namespace paperclip::work
