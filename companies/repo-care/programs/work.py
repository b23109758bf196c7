"""The worker: takes an issue that the scanner filed, makes the fix on a branch of its own, and hands it to the
reviewer with the diff.

usage: work.py REPOSITORY
"""

import sys

from findings import KINDS, filed, finding_still_there, read_text
from paperclip_api import Paperclip, finish
from repository import Repository
from snapshot import head

_MAX_DIFF = 20_000


def branch_of(issue):
    return "repo-care/" + issue["identifier"]


def next_issue(api):
    """The one that we were woken for, else the first of the inbox that is ours to work on."""
    waiting = [item["id"] for item in api.inbox() if item["status"] in ("todo", "in_progress")]
    for issue_id in [api.task_id] if api.task_id else waiting:
        issue = api.issue(issue_id)
        if issue["assigneeAgentId"] == api.agent_id and issue["status"] in ("todo", "in_progress"):
            return issue
    return None


def work(api, repository, issue):
    """One sentence of what was done."""
    about = filed(issue)
    if about is None:
        return give_back(api, issue, "I only fix what the scanner files; this needs a person.")
    here = read_text(about.path, repository.read(about.path), repository.exists)
    if not finding_still_there(about, here):
        api.change_issue(issue, status="done", comment=f"Gone from `{about.path}` without my doing. Closed.")
        repository.delete_branch(branch_of(issue))
        return f"{issue['identifier']} was done already"
    if about.path in repository.changed():
        return give_back(api, issue, f"`{about.path}` has changes that are not committed. I take it up again when "
                                     "they are.")
    base = head(repository)
    text = base.proposal(about.kind, about.path) if base else None
    if text is None:
        return give_back(api, issue, "This needs a person: there is no fix that is certainly right.")
    return hand_in(api, repository, issue, about, base, text)


def hand_in(api, repository, issue, about, base, text):
    reviewer = api.agent("reviewer")
    if reviewer is None:
        return give_back(api, issue, "There is no agent `reviewer` to hand this to.")
    branch = branch_of(issue)
    message = f"{issue['identifier']}: {KINDS[about.kind].done} in {about.path}\n\n{issue['title']}\n"
    commit = repository.commit_file(branch, base.commit, about.path, text.encode(), message)
    diff = repository.diff(base.commit, commit)
    fence = "```"
    while fence in diff:
        fence += "`"
    shown = diff[:_MAX_DIFF] + ("\n… (the rest is in the branch)\n" if len(diff) > _MAX_DIFF else "")
    # The comment first: in one step with the change it would wake the reviewer a second time.
    api.comment(issue, f"{KINDS[about.kind].done}, on branch `{branch}` (`{commit[:12]}`):\n\n"
                       f"{fence}diff\n{shown}{fence}")
    api.change_issue(issue, status="in_review", assigneeAgentId=reviewer)
    return f"{issue['identifier']} handed in on {branch}"


def give_back(api, issue, why):
    api.change_issue(issue, status="todo", assigneeAgentId=None, comment=why)
    return f"{issue['identifier']} given back: {why}"


def main():
    api = Paperclip()
    repository = Repository(sys.argv[1])
    issue = next_issue(api)
    if issue is None:
        return finish("Nothing to do")
    issue = api.take(issue)
    if issue is None:
        return finish("Somebody else has it, or it has to wait")
    return finish(work(api, repository, issue), issue=issue["identifier"])


if __name__ == "__main__":
    main()
