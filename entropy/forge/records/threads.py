"""Threads of review comments: each is named by its first comment, and is resolved or not."""

import sqlite3

from entropy.forge.records import activity, issues

_FIND = """
SELECT review_comments.*, reviews.issue_id, resolutions.user_id AS resolved_by
FROM review_comments JOIN reviews ON reviews.id = review_id
LEFT JOIN resolutions ON resolutions.comment_id = review_comments.id
"""


def find(db: sqlite3.Connection, pull_id: int) -> list[sqlite3.Row]:
    """The first comments of the threads; those of a review that is not submitted yet are nobody's business."""
    return db.execute(
        f"{_FIND} WHERE issue_id = ? AND reply_to IS NULL AND state != 'PENDING' ORDER BY review_comments.id",
        (pull_id,),
    ).fetchall()


def get(db: sqlite3.Connection, comment_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        f"{_FIND} WHERE review_comments.id = ? AND reply_to IS NULL", (comment_id,)
    ).fetchone()
    return row


def settled(db: sqlite3.Connection, comment_id: int) -> bool:
    """Whether the thread that begins with this comment is resolved."""
    return db.execute("SELECT 1 FROM resolutions WHERE comment_id = ?", (comment_id,)).fetchone() is not None


def comments(db: sqlite3.Connection, first_id: int) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT * FROM review_comments WHERE id = ? OR reply_to = ? ORDER BY id", (first_id, first_id)
    ).fetchall()


def resolve(db: sqlite3.Connection, thread: sqlite3.Row, user_id: int) -> None:
    added = db.execute(
        "INSERT INTO resolutions (comment_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING", (thread["id"], user_id)
    )
    if added.rowcount:
        _tell(db, thread, user_id, "resolved")


def unresolve(db: sqlite3.Connection, thread: sqlite3.Row, user_id: int) -> None:
    if db.execute("DELETE FROM resolutions WHERE comment_id = ?", (thread["id"],)).rowcount:
        _tell(db, thread, user_id, "unresolved")


def _tell(db: sqlite3.Connection, thread: sqlite3.Row, user_id: int, action: str) -> None:
    pull = issues.numbered(db, thread["issue_id"])
    place = pull["repository_id"], pull["id"]
    activity.tell(db, place, user_id, f"pull_request_review_thread.{action}", subject=thread["id"])
