#pragma once

#include "engine/work/comment.hpp"
#include "engine/work/goals.hpp"
#include "engine/work/issue.hpp"
#include "engine/work/project.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::work {

struct IssueFilter {
    std::optional<std::string> status;             ///< words, separated by commas
    std::optional<std::string> assignee_agent_id;  ///< UUID or "null"
    std::optional<std::string> assignee_user_id;
    std::optional<Id> project_id;
    std::optional<Id> goal_id;
    std::optional<Id> parent_id;
    std::optional<std::string> q;
    std::optional<std::string> limit;
    std::optional<std::string> offset;
    std::optional<std::string> sort_field;
    std::optional<std::string> sort_dir;
};
BOOST_DESCRIBE_STRUCT(IssueFilter, (),
                      (status, assignee_agent_id, assignee_user_id, project_id, goal_id, parent_id,
                       q, limit, offset, sort_field, sort_dir))

/// `POST …/checkout`.
struct CheckoutInput {
    Id agent_id;
    std::vector<IssueStatus> expected_statuses;
};
BOOST_DESCRIBE_STRUCT(CheckoutInput, (), (agent_id, expected_statuses))

/// One line of an agent's inbox.
struct InboxItem {
    Id id;
    std::optional<std::string> identifier;
    std::string title;
    IssueStatus status = IssueStatus::todo;
    IssuePriority priority = IssuePriority::medium;
    std::optional<Id> project_id;
    std::optional<Id> goal_id;
    std::optional<Id> parent_id;
    Time updated_at;
    std::optional<Id> active_run_id;
    bool dependency_ready = true;
    std::int64_t unresolved_blocker_count = 0;
    std::vector<Id> unresolved_blocker_issue_ids;
};
BOOST_DESCRIBE_STRUCT(InboxItem, (),
                      (id, identifier, title, status, priority, project_id, goal_id, parent_id,
                       updated_at, active_run_id, dependency_ready, unresolved_blocker_count,
                       unresolved_blocker_issue_ids))

/// Issues, their comments, and the lease by which exactly one run works on one. Thread-safe.
class Issues {
 public:
    explicit Issues(Core core) : core_(core) {}

    /// What creating gave: a new issue, or the one that was there already.
    struct Created {
        IssueView issue;
        bool is_new = true;
    };
    Created create(const Actor& actor, const Id& company, const Patch<IssueInput>& input);
    /// Adds the steps that create `issue` (its id and times are set here; the step given back
    /// returns its number and identifier).
    storage::Unit::Added add_create(storage::Unit& unit, const Actor& actor, Issue& issue,
                                    const std::vector<Id>& blockers);

    Issue get(const Id& id);
    IssueView view(const Id& id);
    std::vector<Issue> list(const Id& company, const IssueFilter& filter);

    struct Changed {
        IssueView issue;
        std::string changes;  ///< JSON: `{"status":{"from":…,"to":…}}`
        std::optional<Comment> comment;
    };
    Changed patch(const Actor& actor, const Id& id, const Patch<IssueInput>& input);
    IssueView remove(const Actor& actor, const Id& id);

    /// Gives the issue to an agent and, when `actor` acts in a run, its lease to that run. Throws
    /// Error{conflict} that says who has it.
    Issue checkout(const Actor& actor, const Id& id, const CheckoutInput& input);
    Issue release(const Actor& actor, const Id& id);

    /// Steps for runs/: the lease follows the run's life.
    void add_lease_for_run(storage::Unit& unit, const Id& issue, const Id& agent, const Id& run);
    void add_end_leases(storage::Unit& unit, const Id& run);

    Comment comment(const Actor& actor, const Id& issue, const CommentInput& input);
    /// What a run says it did, as its agent's comment; a step for runs/.
    void add_run_comment(storage::Unit& unit, const Actor& agent, const Id& issue,
                         const std::string& body);
    std::vector<Comment> comments(const Id& issue, const std::optional<Id>& after, bool ascending,
                                  std::int64_t limit);
    Comment get_comment(const Id& issue, const Id& comment);
    Comment delete_comment(const Actor& actor, const Id& issue, const Id& comment);

    std::vector<InboxItem> inbox(const Id& agent);
    bool has_work(const Id& agent);
    std::vector<IssueLink> unresolved_blockers(const Id& issue);
    std::vector<IssueLink> ancestors(const Id& issue);
    /// Those that wait for nothing any more because `issue` is done.
    std::vector<Issue> unblocked_by(const Id& issue);
    /// Is every child of `issue` done or cancelled (and is there one)?
    bool children_are_done(const Id& issue);

    struct CommentPosition {
        std::int64_t total = 0;
        std::optional<Id> latest;
        std::optional<Time> latest_at;
    };
    CommentPosition comment_position(const Id& issue);

 private:
    /// One change of one issue, with what comes along in its unit.
    struct Edit {
        Patch<Issue> change;
        std::optional<std::vector<Id>> blockers;
        std::optional<CommentInput> comment;
        bool reopen = false;
    };
    Changed edit(const Actor& actor, const Id& id, const Edit& edit);
    Changed try_edit(const Actor& actor, const Issue& before, const Edit& edit);
    void check_places(const Issue& issue);
    void check_status(const Actor& actor, const Issue& before, const Issue& after,
                      const std::vector<Id>* blockers);
    void may_change(const Actor& actor, const Issue& issue, const Edit& edit);
    void may_assign(const Actor& actor, const Issue& issue);
    void add_blockers(storage::Unit& unit, const Issue& issue, const std::vector<Id>& blockers);
    Comment add_comment(storage::Unit& unit, const Actor& actor, const Issue& issue,
                        const CommentInput& input, bool reopened);
    std::vector<Id> mentions(const Id& company, const std::string& body);
    [[noreturn]] void refuse_checkout(const Issue& issue);
    std::optional<IssueView> duplicate_of(const Actor& actor, const Id& company,
                                          const IssueInput& input);
    [[noreturn]] void refuse_blocked(const std::vector<IssueLink>& blockers);

    Core core_;
};

}  // namespace paperclip::work

template <>
struct paperclip::Rules<paperclip::work::CheckoutInput> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"agent_id", {.required = true}},
        {"expected_statuses", {.required = true, .min = 1, .max = 7}},
    });
};
