"""What happened to an item, in order: its events, and its timeline with comments, reviews and commits besides."""

import sqlite3
from typing import Any

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.present import timeline as shapes
from entropy.forge.records import activity, comments, reviews
from entropy.forge.refusals import not_found
from entropy.forge.routes.issues import ISSUE
from entropy.forge.routes.repositories import HOME


def events(call: Call) -> Reply:
    rows = activity.events(call.db, call.issue()["id"])
    chosen = rows[call.page.offset : call.page.offset + call.page.size]
    return call.listing([shapes.event(call.view, call.repository, row) for row in chosen], len(rows))


def event(call: Call) -> Reply:
    row = activity.event(call.db, call.repository_id, call.number("event"))
    if row is None:
        raise not_found()
    return Reply(data=shapes.placed_event(call.view, call.repository, row))


def of_repository(call: Call) -> Reply:
    rows = activity.of_repository(call.db, call.repository_id)
    chosen = rows[call.page.offset : call.page.offset + call.page.size]
    return call.listing([shapes.placed_event(call.view, call.repository, row) for row in chosen], len(rows))


def timeline(call: Call) -> Reply:
    issue, home, view = call.issue(), call.repository, call.view
    told = [(_key(row), shapes.event(view, home, row)) for row in activity.events(call.db, issue["id"])]
    for row in activity.said(call.db, issue["id"]):
        entry = _said(call, issue, row)
        if entry:
            told.append((_key(row), entry))
    if issue["is_pull"]:
        commits = call.git.log(f"{issue['base_sha']}..{issue['head_sha']}", limit=250)[::-1]
        told += [((row.committer[2], 0), shapes.committed(view, home, row)) for row in commits]
    told.sort(key=lambda entry: entry[0])
    chosen = told[call.page.offset : call.page.offset + call.page.size]
    return call.listing([entry for _, entry in chosen], len(told))


def _key(row: sqlite3.Row) -> tuple[str, int]:
    return row["created"], row["id"]


def _said(call: Call, issue: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any] | None:
    """A comment or a review, unless it is gone."""
    if row["event"] == "issue_comment":
        comment = comments.get(call.db, call.repository_id, row["subject_id"])
        return shapes.commented(call.view, call.repository, comment) if comment else None
    review = reviews.get(call.db, issue["id"], row["subject_id"])
    return shapes.reviewed(call.view, issue, review) if review else None


TABLE = (
    Endpoint("GET", f"{HOME}/issues/events", of_repository),
    Endpoint("GET", f"{HOME}/issues/events/{{event}}", event),
    Endpoint("GET", f"{ISSUE}/events", events),
    Endpoint("GET", f"{ISSUE}/timeline", timeline),
)
