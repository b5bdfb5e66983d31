"""The labels of an issue or a pull request."""

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.permissions import Level
from entropy.forge.present.repositories import label
from entropy.forge.records import issues
from entropy.forge.refusals import Refusal
from entropy.forge.routes.issues import ISSUE

LABELS = f"{ISSUE}/labels"


def _shown(call: Call, issue_id: int) -> Reply:
    rows = issues.labels(call.db, issue_id)
    chosen = rows[call.page.offset : call.page.offset + call.page.size]
    return call.listing([label(call.view, call.repository, row) for row in chosen], len(rows))


def _wanted(call: Call) -> list[str]:
    """GitHub's schema has ``{"labels": [...]}``, its text and PyGithub a bare array."""
    value = call.body.value
    return call.body.of("Label").listed(value.get("labels") if isinstance(value, dict) else value, "labels")


def find(call: Call) -> Reply:
    return _shown(call, call.issue()["id"])


def add(call: Call) -> Reply:
    issue = call.issue()
    issues.add_labels(call.db, issue, call.my_id, _wanted(call))
    return _shown(call, issue["id"])


def replace(call: Call) -> Reply:
    issue = call.issue()
    issues.replace_labels(call.db, issue, call.my_id, _wanted(call))
    return _shown(call, issue["id"])


def clear(call: Call) -> Reply:
    issue = call.issue()
    issues.remove_labels(call.db, issue, call.my_id, issues.labels(call.db, issue["id"]))
    return Reply(204)


def remove(call: Call) -> Reply:
    issue, name = call.issue(), call.params["name"].lower()
    chosen = [row for row in issues.labels(call.db, issue["id"]) if row["name"].lower() == name]
    if not chosen:
        raise Refusal(404, "Label does not exist")
    issues.remove_labels(call.db, issue, call.my_id, chosen)
    return _shown(call, issue["id"])


TABLE = (
    Endpoint("GET", LABELS, find),
    Endpoint("POST", LABELS, add, Level.TRIAGE),
    Endpoint("PUT", LABELS, replace, Level.TRIAGE),
    Endpoint("DELETE", LABELS, clear, Level.TRIAGE),
    Endpoint("DELETE", f"{LABELS}/{{name:path}}", remove, Level.TRIAGE),
)
