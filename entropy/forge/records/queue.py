"""Merge queues: which branches have one, and which pull requests wait in it."""

import sqlite3

from entropy.forge.clock import now
from entropy.forge.records import activity

_ENTRIES = """
SELECT queued_pulls.*, row_number() OVER (ORDER BY queued_pulls.id) AS position
FROM queued_pulls JOIN items ON items.id = queued_pulls.issue_id
WHERE repository_id = ? AND base_ref = ?
"""


def create(db: sqlite3.Connection, repository_id: int, branch: str, method: str) -> None:
    """`method` is how the queue merges: merge or squash."""
    db.execute(
        "INSERT INTO merge_queues (repository_id, branch, method) VALUES (?, ?, ?)"
        " ON CONFLICT (repository_id, branch) DO UPDATE SET method = excluded.method",
        (repository_id, branch, method),
    )


def method(db: sqlite3.Connection, repository_id: int, branch: str) -> str | None:
    """None where the branch has no queue."""
    row = db.execute(
        "SELECT method FROM merge_queues WHERE repository_id = ? AND branch = ?", (repository_id, branch)
    ).fetchone()
    return str(row["method"]) if row else None


def entries(db: sqlite3.Connection, repository_id: int, branch: str) -> list[sqlite3.Row]:
    return db.execute(_ENTRIES, (repository_id, branch)).fetchall()


def waiting(db: sqlite3.Connection) -> list[sqlite3.Row]:
    """Every queued pull request of every repository, in order."""
    return db.execute(
        "SELECT items.*, queued_pulls.head_sha AS queued_sha, queued_pulls.user_id AS queued_by"
        " FROM queued_pulls JOIN items ON items.id = queued_pulls.issue_id ORDER BY queued_pulls.id"
    ).fetchall()


def entry(db: sqlite3.Connection, pull_id: int) -> sqlite3.Row | None:
    found = db.execute("SELECT repository_id, base_ref FROM items WHERE id = ?", (pull_id,)).fetchone()
    rows = entries(db, found["repository_id"], found["base_ref"]) if found else []
    return next((row for row in rows if row["issue_id"] == pull_id), None)


def enqueue(db: sqlite3.Connection, pull: sqlite3.Row, user_id: int) -> None:
    db.execute(
        "INSERT INTO queued_pulls (issue_id, user_id, head_sha, created) VALUES (?, ?, ?, ?)",
        (pull["id"], user_id, pull["head_sha"], now()),
    )
    activity.note(db, pull, user_id, "enqueued")


def dequeue(db: sqlite3.Connection, pull: sqlite3.Row, user_id: int, reason: str) -> bool:
    """`reason` is one of GitHub's: DEQUEUED, MERGE, CI_FAILURE, MERGE_CONFLICT, BRANCH_PROTECTIONS, …"""
    gone = db.execute("DELETE FROM queued_pulls WHERE issue_id = ?", (pull["id"],)).rowcount > 0
    if gone:
        activity.note(db, pull, user_id, "dequeued", reason=reason)
    return gone
