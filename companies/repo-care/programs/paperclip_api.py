"""What an agent's program needs of Paperclip's API. Python 3, standard library only.

The engine tells each run by its environment where the API is and who is calling: PAPERCLIP_API_URL,
PAPERCLIP_API_KEY (good for this run only), PAPERCLIP_RUN_ID, PAPERCLIP_COMPANY_ID, PAPERCLIP_AGENT_ID and,
when it was woken for an issue, PAPERCLIP_TASK_ID.
"""

import json
import os
import urllib.error
import urllib.parse
import urllib.request

_TIMEOUT_SECONDS = 30


class ApiError(Exception):
    """A refusal of the API, or no answer at all (`status` 0)."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Paperclip:
    """The API as one run of an agent sees it."""

    def __init__(self, environment=os.environ):
        def needed(name):
            value = environment.get(name)
            if not value:
                raise SystemExit(f"{name} is not set: this program is run by Paperclip, as an agent's")
            return value

        self._url = needed("PAPERCLIP_API_URL").rstrip("/") + "/api"
        self._key = needed("PAPERCLIP_API_KEY")
        self._run = needed("PAPERCLIP_RUN_ID")
        self.company_id = needed("PAPERCLIP_COMPANY_ID")
        self.agent_id = needed("PAPERCLIP_AGENT_ID")
        self.task_id = environment.get("PAPERCLIP_TASK_ID")
        # A proxy of the machine's has no business with an engine on loopback, nor with its keys.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method, path, body=None, **query):
        """The answer's JSON. Raises ApiError."""
        url = self._url + path + ("?" + urllib.parse.urlencode(query) if query else "")
        request = urllib.request.Request(url, method=method)
        request.add_header("Authorization", "Bearer " + self._key)
        request.add_header("X-Paperclip-Run-Id", self._run)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, data, _TIMEOUT_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read(2000).decode(errors="replace")
            raise ApiError(error.code, f"{method} {path}: {error.code} {text}") from None
        except OSError as error:
            raise ApiError(0, f"{method} {path}: {error}") from None

    def issue(self, issue_id):
        return self.call("GET", f"/issues/{issue_id}")

    def issues(self, *statuses):
        """The company's issues with one of these statuses, oldest first."""
        found = []
        while True:
            page = self.call("GET", f"/companies/{self.company_id}/issues", status=",".join(statuses),
                             limit=500, offset=len(found))
            found += page
            if len(page) < 500:
                return list(reversed(found))

    def create_issue(self, **fields):
        return self.call("POST", f"/companies/{self.company_id}/issues", fields)

    def change_issue(self, issue, **fields):
        """`comment=` says why, in the same step."""
        return self.call("PATCH", f"/issues/{issue['id']}", fields)

    def comments(self, issue, limit=20):
        """The last ones, newest first."""
        return self.call("GET", f"/issues/{issue['id']}/comments", limit=limit)

    def comment(self, issue, body):
        return self.call("POST", f"/issues/{issue['id']}/comments", {"body": body})

    def inbox(self):
        return self.call("GET", "/agents/me/inbox-lite")

    def take(self, issue):
        """Checks the issue out; None when somebody else has it, or it has to wait."""
        try:
            return self.call("POST", f"/issues/{issue['id']}/checkout", {
                "agentId": self.agent_id, "expectedStatuses": ["todo", "backlog", "blocked", "in_progress"]})
        except ApiError as error:
            if error.status in (409, 422):
                return None
            raise

    def agent(self, key):
        """The id of the agent that the declaration calls `key`; None when there is none."""
        for agent in self.call("GET", f"/companies/{self.company_id}/agents"):
            if agent["urlKey"] == key and agent["status"] != "terminated":
                return agent["id"]
        return None


def report(**what):
    """Tells the engine how the run goes (plugins/agent-process/README.md), and whoever reads its log."""
    print(json.dumps({"paperclip": what}), flush=True)


def finish(summary, **data):
    """The run's result in one line."""
    print(summary)
    report(result={"class": "ok", "summary": summary, "data": data})
