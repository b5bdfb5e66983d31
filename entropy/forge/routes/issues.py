"""Issues: list, open, edit, assign."""

import sqlite3

from entropy.forge import clock
from entropy.forge.bodies import Body
from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.permissions import Level, granted
from entropy.forge.present import issues as shapes
from entropy.forge.records import issues, users
from entropy.forge.refusals import forbidden, invalid
from entropy.forge.routes.repositories import HOME

ISSUE = f"{HOME}/issues/{{number}}"


def find(call: Call) -> Reply:
    query, page = call.query, call.page
    assignee = query.get("assignee")
    wanted = issues.Filter(
        state=call.chosen("state", ("open", "closed", "all"), "open"),
        labels=[name.strip() for name in query.get("labels", "").split(",") if name.strip()],
        since=_since(call),
        creator=query.get("creator"),
        assignee=assignee or None,
        sort=call.chosen("sort", ("created", "updated", "comments"), "created"),
        ascending=call.chosen("direction", ("asc", "desc"), "desc") == "asc",
        limit=page.size,
        offset=page.offset,
    )
    rows = issues.find(call.db, call.repository_id, wanted)
    return call.listing([shapes.issue(call.view, row) for row in rows], total(rows))


def _since(call: Call) -> str | None:
    text = call.query.get("since")
    since = clock.parse(text.replace(" ", "+")) if text else None
    if text and since is None:
        raise invalid("Issue", "since")
    return since


def get(call: Call) -> Reply:
    return Reply(data=shapes.issue(call.view, call.issue()))


def create(call: Call) -> Reply:
    body = call.body.of("Issue")
    title, text, labels = body.required("title", limit=256), body.text("body"), body.texts("labels")
    assigned = _people(body)
    row = issues.create(call.db, call.repository_id, call.my_id, title=title, body=text)
    if call.level >= Level.TRIAGE:  # GitHub drops them silently where the author may not set them
        issues.add_labels(call.db, row, call.my_id, labels)
        _assign(call, row, assigned)
    return Reply(201, shapes.issue(call.view, issues.numbered(call.db, row["id"])))


def _people(body: Body) -> list[str]:
    return body.texts("assignees") if body.has("assignees") else body.texts("assignee")


def _assign(call: Call, issue: sqlite3.Row, logins: list[str]) -> None:
    """GitHub skips who cannot be assigned, without a word."""
    for login in logins:
        person = users.named(call.db, login)
        if person and granted(call.db, call.repository, person):
            issues.assign(call.db, issue, call.my_id, person["id"])


def edit(call: Call) -> Reply:
    row = call.issue()
    change(call, row)
    return Reply(data=shapes.issue(call.view, issues.numbered(call.db, row["id"])))


def change(call: Call, row: sqlite3.Row) -> None:
    """What issues and pull requests edit alike; the author may change text and state, triagers everything."""
    body = call.body.of("Issue")
    trusted = call.level >= Level.TRIAGE
    if not trusted and row["user_id"] != call.my_id:
        raise forbidden("triage")
    _rewrite(call, row, body)
    _set_state(call, row, body)
    if body.has("labels") and trusted:
        issues.replace_labels(call.db, row, call.my_id, body.texts("labels"))
    if (body.has("assignees") or body.has("assignee")) and trusted:
        names = {name.lower() for name in _people(body)}
        for person in issues.assignees(call.db, row["id"]):
            if person["login"].lower() not in names:
                issues.unassign(call.db, row, call.my_id, person["id"])
        _assign(call, row, _people(body))


def _rewrite(call: Call, row: sqlite3.Row, body: Body) -> None:
    if not (body.has("title") or body.has("body")):
        return
    title = body.required("title", limit=256) if body.has("title") else row["title"]
    text = body.text("body") if body.has("body") else row["body"]
    issues.rewrite(call.db, row, call.my_id, title=title, body=text)
    if row["is_pull"]:
        issues.link(call.db, issues.numbered(call.db, row["id"]), call.repository["full_name"])


def _set_state(call: Call, row: sqlite3.Row, body: Body) -> None:
    state = body.choice("state", ("open", "closed"), row["state"])
    reason = body.choice("state_reason", ("completed", "not_planned", "duplicate", "reopened"), "completed")
    if state == "closed":
        issues.close(call.db, row, call.my_id, reason=None if row["is_pull"] else reason)
    elif row["state"] == "closed":
        if row["merged"]:
            raise invalid("PullRequest", "state")
        issues.reopen(call.db, row, call.my_id)


def assign(call: Call) -> Reply:
    row = call.issue()
    _assign(call, row, _people(call.body.of("Issue")))
    return Reply(201, shapes.issue(call.view, issues.numbered(call.db, row["id"])))


def unassign(call: Call) -> Reply:
    row, names = call.issue(), {name.lower() for name in _people(call.body.of("Issue"))}
    for person in issues.assignees(call.db, row["id"]):
        if person["login"].lower() in names:
            issues.unassign(call.db, row, call.my_id, person["id"])
    return Reply(data=shapes.issue(call.view, issues.numbered(call.db, row["id"])))


TABLE = (
    Endpoint("GET", f"{HOME}/issues", find),
    Endpoint("POST", f"{HOME}/issues", create),
    Endpoint("GET", ISSUE, get),
    Endpoint("PATCH", ISSUE, edit),
    Endpoint("POST", f"{ISSUE}/assignees", assign, Level.TRIAGE),
    Endpoint("DELETE", f"{ISSUE}/assignees", unassign, Level.TRIAGE),
)
