"""The scanner: files each finding once, as an issue that names its file and lines, hands to the worker what
can be fixed without a person, and closes what is gone.

usage: scan.py REPOSITORY
"""

import sys

from findings import KINDS, Filed, filed, find
from paperclip_api import ApiError, Paperclip, finish
from repository import Repository
from snapshot import head

# A neglected repository should not bury its people: the most urgent come first, the others as these are closed.
MAX_OPEN = 20
GONE = "The scanner finds this no more"


class Scan:
    def __init__(self, api, repository):
        self.api = api
        self.repository = repository
        self.stamp = repository.stamp()
        self.head = head(repository)
        self.uncommitted = repository.changed()
        self.worker = api.agent("worker")
        self.project = self._project()
        self.counts = {"found": 0, "filed": 0, "closed": 0}
        self.is_settled = True

    def _project(self):
        for project in self.api.call("GET", f"/companies/{self.api.company_id}/projects"):
            workspace = project.get("primaryWorkspace") or {}
            if workspace.get("cwd") == self.repository.root:
                return project["id"]
        return None

    def run(self):
        found = {finding.fingerprint: finding for finding in find(self.repository)}
        issues = {}
        for issue in self.api.issues("backlog", "todo", "in_progress", "in_review", "blocked"):
            about = filed(issue)
            if about:
                issues[about.fingerprint] = issue
        # Whoever cancels an issue says that the finding is none.
        unwanted = {about.fingerprint for issue in self.api.issues("cancelled") if (about := filed(issue))}
        self.counts["found"] = len(found)
        for fingerprint, issue in issues.items():
            self._attempt(self._keep if fingerprint in found else self._retire, issue)
        room = MAX_OPEN - sum(fingerprint in found for fingerprint in issues)
        new = [finding for fingerprint, finding in found.items() if fingerprint not in issues.keys() | unwanted]
        for finding in new[:max(room, 0)]:
            self._file(finding)
        if self.is_settled:
            self.repository.remember("settled-" + self.api.company_id, self.stamp)

    def _attempt(self, step, issue):
        """Somebody else may be at the issue at this moment: then the next scan does it."""
        try:
            step(issue)
        except ApiError as error:
            if error.status not in (403, 404, 409, 422):
                raise
            self.is_settled = False
            print(f"{issue['identifier']}: {error}")

    def _is_for_worker(self, about):
        return (self.worker is not None and KINDS[about.kind].fix is not None and self.head is not None
                and about.path not in self.uncommitted
                and self.head.proposal(about.kind, about.path) is not None)

    def _file(self, finding):
        fields = {"title": finding.title[:500], "description": finding.description, "priority": finding.priority,
                  "status": "todo", "allowDuplicate": True,
                  "idempotencyKey": f"repo-care:{finding.fingerprint}:{self.stamp[:16]}"}
        if self.project:
            fields["projectId"] = self.project
        if self._is_for_worker(Filed(finding.kind, finding.path, finding.fingerprint)):
            fields["assigneeAgentId"] = self.worker
        issue = self.api.create_issue(**fields)
        self.counts["filed"] += 1
        print(f"{issue['identifier']}: {finding.title}")

    def _keep(self, issue):
        """What waited for a commit can be worked on now."""
        is_free = not issue["assigneeAgentId"] and not issue["assigneeUserId"]
        if is_free and self._is_for_worker(filed(issue)):
            self.api.change_issue(issue, assigneeAgentId=self.worker, status="todo")

    def _retire(self, issue):
        said = f"{GONE} in {filed(issue).path}."
        if not issue["assigneeAgentId"]:
            self.api.change_issue(issue, status="done", comment=said + " Closed.")
            self.counts["closed"] += 1
        elif not any(comment["body"].startswith(GONE) for comment in self.api.comments(issue)):
            # Only who has an issue may close it; the comment wakes them.
            self.api.comment(issue, said)


def main():
    scan = Scan(Paperclip(), Repository(sys.argv[1]))
    scan.run()
    finish("{found} findings: {filed} filed, {closed} closed".format(**scan.counts), **scan.counts)


if __name__ == "__main__":
    main()
