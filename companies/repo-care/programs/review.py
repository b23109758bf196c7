"""The reviewer: looks at what the worker handed in, and merges and closes it, or sends it back.

usage: review.py REPOSITORY
"""

import sys

from findings import filed, finding_still_there, findings_in, read_text
from paperclip_api import Paperclip, finish
from repository import GitError, Repository
from snapshot import Snapshot, head
from work import branch_of, give_back


def next_issue(api):
    if api.task_id:
        waiting = [api.issue(api.task_id)]
    else:
        waiting = api.issues("in_review")
    for issue in waiting:
        if issue["assigneeAgentId"] == api.agent_id and issue["status"] == "in_review":
            return issue
    return None


def objection(repository, about, branch):
    """What is wrong with the branch, or None."""
    tip, base = repository.commit("refs/heads/" + branch), head(repository)
    if tip is None or base is None:
        return f"there is no branch `{branch}`"
    start = repository.git("merge-base", base.commit, tip, check=False)
    if start is None:
        return f"`{branch}` does not come from what is checked out"
    before, after = Snapshot(repository, start.strip()), Snapshot(repository, tip)
    touched = repository.files_between(before.commit, after.commit)
    if touched != {about.path}:
        return f"`{branch}` changes {', '.join(sorted(touched)) or 'nothing'}; expected `{about.path}` alone"
    file, old = after.file(about.path), before.file(about.path)
    if file is None or old is None or finding_still_there(about, file):
        return f"it is still there on `{branch}`"
    new = {finding.kind for finding in findings_in(file)} - {finding.kind for finding in findings_in(old)}
    return f"`{branch}` brings something new: {', '.join(sorted(new))}" if new else None


def review(api, repository, issue):
    """One sentence of what was decided."""
    about = filed(issue)
    if about is None:
        return give_back(api, issue, "I only review fixes of what the scanner files; this needs a person.")
    branch = branch_of(issue)
    here = read_text(about.path, repository.read(about.path), repository.exists)
    if not finding_still_there(about, here):
        api.change_issue(issue, status="done", comment=f"Gone from `{about.path}` without our doing. Closed.")
        repository.delete_branch(branch)
        return f"{issue['identifier']} was done already"
    if about.path in repository.changed():
        return give_back(api, issue, f"`{about.path}` has changes that are not committed; nothing is merged over them.")
    why = objection(repository, about, branch)
    if why is None:
        try:
            repository.merge(branch, f"Merge {branch}: {issue['title']}")
        except GitError as error:
            why = f"it cannot be merged: {error}"
    if why is not None:
        return send_back(api, issue, why)
    commit = repository.commit("HEAD")
    api.change_issue(issue, status="done", comment=f"The finding is gone on `{branch}`, and nothing else changed. "
                                                   f"Merged as `{commit[:12]}`.")
    repository.delete_branch(branch)
    return f"{issue['identifier']} merged"


def send_back(api, issue, why):
    worker = api.agent("worker")
    tries = sum(comment["body"].startswith("Sent back") for comment in api.comments(issue, limit=100))
    if worker is None or tries >= 3:
        return give_back(api, issue, f"This needs a person: {why}.")
    # The comment first: in one step with the change it would wake the worker a second time.
    api.comment(issue, f"Sent back: {why}.")
    api.change_issue(issue, status="todo", assigneeAgentId=worker)
    return f"{issue['identifier']} sent back"


def main():
    api = Paperclip()
    repository = Repository(sys.argv[1])
    issue = next_issue(api)
    if issue is None:
        return finish("Nothing to review")
    try:
        decided = review(api, repository, issue)
    except GitError as error:
        decided = send_back(api, issue, f"git refused: {error}")
    return finish(decided, issue=issue["identifier"])


if __name__ == "__main__":
    main()
