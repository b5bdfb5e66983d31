"""What happened, written down once; timelines, events and webhooks are made of it."""

import json
import sqlite3
from typing import Any

from entropy.forge.clock import now

_EVENTS = """
SELECT id, issue_id, user_id, created, subject_id, detail,
       CASE action WHEN 'edited' THEN 'renamed' WHEN 'synchronize' THEN 'head_ref_force_pushed'
                   WHEN 'converted_to_draft' THEN 'convert_to_draft' WHEN 'enqueued' THEN 'added_to_merge_queue'
                   WHEN 'dequeued' THEN 'removed_from_merge_queue' ELSE action END AS event,
       json_extract(detail, '$.label.name') AS label,
       json_extract(detail, '$.label.color') AS color,
       json_extract(detail, '$.review') AS review_id,
       json_extract(detail, '$.assignee') AS assignee_id,
       json_extract(detail, '$.reviewer') AS reviewer_id,
       json_extract(detail, '$.commit') AS commit_sha,
       json_extract(detail, '$.reason') AS reason,
       json_extract(detail, '$.changes.title.from') AS was,
       json_extract(detail, '$.title') AS title
FROM activity
WHERE {place} = ? AND event IN ('issues', 'pull_request') AND (
    action NOT IN ('opened', 'edited', 'synchronize')
    OR (action = 'edited' AND json_extract(detail, '$.changes.title.from') IS NOT NULL)
    OR (action = 'synchronize' AND json_extract(detail, '$.forced')))
ORDER BY id
"""
_OF_ITEM = _EVENTS.replace("{place}", "issue_id")
_OF_REPOSITORY = _EVENTS.replace("{place}", "repository_id")


def note(db: sqlite3.Connection, issue: sqlite3.Row, user_id: int, action: str, **detail: object) -> None:
    """Something happened to an issue or to a pull request itself."""
    event = "pull_request" if issue["is_pull"] else "issues"
    tell(db, (issue["repository_id"], issue["id"]), user_id, f"{event}.{action}", detail=detail)


def tell(
    db: sqlite3.Connection,
    place: tuple[int | None, int | None],
    user_id: int,
    what: str,
    *,
    subject: int | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Something happened somewhere: `place` is repository and item, `what` is ``event.action``, or an event alone."""
    event, _, action = what.partition(".")
    db.execute(
        "INSERT INTO activity (repository_id, issue_id, user_id, event, action, subject_id, detail, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*place, user_id, event, action, subject, json.dumps(detail or {}), now()),
    )


def events(db: sqlite3.Connection, issue_id: int) -> list[sqlite3.Row]:
    """What GitHub calls an item's events, oldest first: no comments, no edits of its body."""
    return db.execute(_OF_ITEM, (issue_id,)).fetchall()


def of_repository(db: sqlite3.Connection, repository_id: int) -> list[sqlite3.Row]:
    """The same of all items, newest first."""
    return db.execute(_OF_REPOSITORY, (repository_id,)).fetchall()[::-1]


def event(db: sqlite3.Connection, repository_id: int, event_id: int) -> sqlite3.Row | None:
    found = db.execute(
        "SELECT issue_id FROM activity WHERE repository_id = ? AND id = ?", (repository_id, event_id)
    ).fetchone()
    rows = events(db, found["issue_id"]) if found and found["issue_id"] else []
    return next((row for row in rows if row["id"] == event_id), None)


def said(db: sqlite3.Connection, issue_id: int) -> list[sqlite3.Row]:
    """Comments and reviews of an item, when they came."""
    return db.execute(
        "SELECT * FROM activity WHERE issue_id = ? AND (event, action) IN"
        " (VALUES ('issue_comment', 'created'), ('pull_request_review', 'submitted')) ORDER BY id",
        (issue_id,),
    ).fetchall()


def edits(db: sqlite3.Connection, item: sqlite3.Row) -> list[sqlite3.Row]:
    """The edits of an item's body, the last first; once there is one, what was written first counts as one, too."""
    made = db.execute(
        "SELECT * FROM activity WHERE issue_id = ? AND event IN ('issues', 'pull_request') AND action = 'edited'"
        " AND json_type(detail, '$.changes.body') IS NOT NULL ORDER BY id DESC",
        (item["id"],),
    ).fetchall()
    return [*made, item] if made else []
