"""Comments on issues and pull requests."""

import sqlite3

from entropy.forge.clock import now
from entropy.forge.records import activity, issues, reactions

_OF_REPOSITORY = (
    "SELECT comments.*, issues.number FROM comments JOIN issues ON issues.id = issue_id"
    " WHERE repository_id = ? AND comments.id = ?"
)


def create(db: sqlite3.Connection, issue_id: int, user_id: int, body: str) -> sqlite3.Row:
    row = db.execute(
        "INSERT INTO comments (issue_id, user_id, body, created, updated) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (issue_id, user_id, body, now(), now()),
    ).fetchone()
    issues.touch(db, issue_id)
    created: sqlite3.Row = db.execute(
        "SELECT comments.*, issues.number FROM comments JOIN issues ON issues.id = issue_id WHERE comments.id = ?",
        (row["id"],),
    ).fetchone()
    _tell(db, created, user_id, "created")
    return created


def _tell(db: sqlite3.Connection, comment: sqlite3.Row, user_id: int, action: str, **detail: object) -> None:
    issue = issues.numbered(db, comment["issue_id"])
    place = issue["repository_id"], issue["id"]
    activity.tell(db, place, user_id, f"issue_comment.{action}", subject=comment["id"], detail=detail)


def find(
    db: sqlite3.Connection, issue_id: int, *, since: str | None = None, limit: int = -1, offset: int = 0
) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT comments.*, issues.number, count(*) OVER () AS total FROM comments JOIN issues ON issues.id = issue_id"
        " WHERE issue_id = :issue AND (:since IS NULL OR comments.updated >= :since)"
        " ORDER BY comments.id LIMIT :limit OFFSET :offset",
        {"issue": issue_id, "since": since, "limit": limit, "offset": offset},
    ).fetchall()


def of_repository(
    db: sqlite3.Connection, repository_id: int, *, since: str | None = None, limit: int = -1, offset: int = 0
) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT comments.*, issues.number, count(*) OVER () AS total FROM comments JOIN issues ON issues.id = issue_id"
        " WHERE repository_id = :repository AND (:since IS NULL OR comments.updated >= :since)"
        " ORDER BY comments.id LIMIT :limit OFFSET :offset",
        {"repository": repository_id, "since": since, "limit": limit, "offset": offset},
    ).fetchall()


def count(db: sqlite3.Connection, issue_id: int) -> int:
    return int(db.execute("SELECT count(*) FROM comments WHERE issue_id = ?", (issue_id,)).fetchone()[0])


def get(db: sqlite3.Connection, repository_id: int, comment_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(_OF_REPOSITORY, (repository_id, comment_id)).fetchone()
    return row


def edit(db: sqlite3.Connection, comment: sqlite3.Row, user_id: int, body: str) -> None:
    db.execute("UPDATE comments SET body = ?, updated = ? WHERE id = ?", (body, now(), comment["id"]))
    issues.touch(db, comment["issue_id"])
    _tell(db, comment, user_id, "edited", changes={"body": {"from": comment["body"]}})


def delete(db: sqlite3.Connection, comment: sqlite3.Row, user_id: int) -> None:
    db.execute("DELETE FROM comments WHERE id = ?", (comment["id"],))
    reactions.forget(db, "comment", comment["id"])
    issues.touch(db, comment["issue_id"])
    _tell(db, comment, user_id, "deleted", gone=dict(comment))
