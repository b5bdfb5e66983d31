"""Which items are locked."""

import sqlite3

from entropy.forge.clock import now
from entropy.forge.records import activity, issues

REASONS = ("off-topic", "too heated", "resolved", "spam")


def of(db: sqlite3.Connection, issue_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM locks WHERE issue_id = ?", (issue_id,)).fetchone()
    return row


def lock(db: sqlite3.Connection, issue: sqlite3.Row, user_id: int, reason: str | None) -> None:
    added = db.execute(
        "INSERT INTO locks (issue_id, reason, created) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (issue["id"], reason, now()),
    )
    if added.rowcount:
        issues.touch(db, issue["id"])
        activity.note(db, issue, user_id, "locked", reason=reason)


def unlock(db: sqlite3.Connection, issue: sqlite3.Row, user_id: int) -> None:
    if db.execute("DELETE FROM locks WHERE issue_id = ?", (issue["id"],)).rowcount:
        issues.touch(db, issue["id"])
        activity.note(db, issue, user_id, "unlocked")
