"""Who is asked for a review of which pull request."""

import sqlite3

from entropy.forge.records import activity, issues


def find(db: sqlite3.Connection, pull_id: int) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT users.* FROM review_requests JOIN users ON users.id = user_id WHERE issue_id = ?"
        " ORDER BY review_requests.rowid",
        (pull_id,),
    ).fetchall()


def ask(db: sqlite3.Connection, pull: sqlite3.Row, user_id: int, reviewer: int) -> None:
    added = db.execute(
        "INSERT INTO review_requests (issue_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING", (pull["id"], reviewer)
    )
    if added.rowcount:
        issues.touch(db, pull["id"])
        activity.note(db, pull, user_id, "review_requested", reviewer=reviewer)


def withdraw(db: sqlite3.Connection, pull: sqlite3.Row, user_id: int, reviewer: int) -> None:
    gone = db.execute("DELETE FROM review_requests WHERE issue_id = ? AND user_id = ?", (pull["id"], reviewer))
    if gone.rowcount:
        issues.touch(db, pull["id"])
        activity.note(db, pull, user_id, "review_request_removed", reviewer=reviewer)


def fulfil(db: sqlite3.Connection, pull_id: int, reviewer: int) -> None:
    """A review ends the request for it, without a word."""
    db.execute("DELETE FROM review_requests WHERE issue_id = ? AND user_id = ?", (pull_id, reviewer))
