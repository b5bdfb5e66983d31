"""Reviews of pull requests and their comments on lines."""

import sqlite3
from dataclasses import dataclass

from entropy.forge.clock import now
from entropy.forge.records import activity, issues, reactions

_COMMENTS = (
    "SELECT review_comments.*, reviews.issue_id, issues.number, count(*) OVER () AS total FROM review_comments"
    " JOIN reviews ON reviews.id = review_id JOIN issues ON issues.id = reviews.issue_id"
)
_OF_PULL = f"{_COMMENTS} WHERE reviews.issue_id = ? ORDER BY review_comments.id LIMIT ? OFFSET ?"
_OF_REVIEW = f"{_COMMENTS} WHERE review_id = ? ORDER BY review_comments.id LIMIT ? OFFSET ?"
_OF_REPOSITORY = (
    f"{_COMMENTS} WHERE issues.repository_id = ? AND (? IS NULL OR review_comments.updated >= ?)"
    " ORDER BY review_comments.id LIMIT ? OFFSET ?"
)
_ONE = f"{_COMMENTS} WHERE issues.repository_id = ? AND review_comments.id = ?"


@dataclass(frozen=True)
class LineComment:
    """A comment that is about to be made; its place is known to lie in the diff."""

    path: str
    side: str
    line: int
    body: str
    position: int
    hunk: str
    start_line: int | None = None
    start_side: str | None = None


def create(
    db: sqlite3.Connection, pull: sqlite3.Row, user_id: int, *, state: str, body: str, commit: str
) -> sqlite3.Row:
    row = db.execute(
        "INSERT INTO reviews (issue_id, user_id, body, state, commit_sha, submitted)"
        " VALUES (?, ?, ?, ?, ?, ?) RETURNING *",
        (pull["id"], user_id, body, state, commit, now()),
    ).fetchone()
    issues.touch(db, pull["id"])
    if state != "PENDING":
        tell(db, pull, user_id, "pull_request_review.submitted", subject=row["id"])
    created: sqlite3.Row = row
    return created


def tell(db: sqlite3.Connection, pull: sqlite3.Row, who: int, what: str, *, subject: int, **detail: object) -> None:
    activity.tell(db, (pull["repository_id"], pull["id"]), who, what, subject=subject, detail=detail)


def comment(db: sqlite3.Connection, review: sqlite3.Row, made: LineComment, *, reply_to: int | None = None) -> int:
    row = db.execute(
        "INSERT INTO review_comments (review_id, reply_to, user_id, body, path, side, line, start_side, start_line,"
        " position, hunk, commit_sha, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            review["id"],
            reply_to,
            review["user_id"],
            made.body,
            made.path,
            made.side,
            made.line,
            made.start_side,
            made.start_line,
            made.position,
            made.hunk,
            review["commit_sha"],
            now(),
            now(),
        ),
    ).fetchone()
    if review["state"] != "PENDING":
        pull = issues.numbered(db, review["issue_id"])
        tell(db, pull, review["user_id"], "pull_request_review_comment.created", subject=row["id"])
    return int(row["id"])


def edit_comment(db: sqlite3.Connection, comment: sqlite3.Row, user_id: int, body: str) -> None:
    db.execute("UPDATE review_comments SET body = ?, updated = ? WHERE id = ?", (body, now(), comment["id"]))
    pull = issues.numbered(db, comment["issue_id"])
    issues.touch(db, pull["id"])
    changes = {"body": {"from": comment["body"]}}
    tell(db, pull, user_id, "pull_request_review_comment.edited", subject=comment["id"], changes=changes)


def delete_comment(db: sqlite3.Connection, comment: sqlite3.Row, user_id: int) -> None:
    """The next comment of a thread becomes its first."""
    heir = db.execute("SELECT min(id) AS id FROM review_comments WHERE reply_to = ?", (comment["id"],)).fetchone()["id"]
    db.execute("UPDATE review_comments SET reply_to = nullif(?, id) WHERE reply_to = ?", (heir, comment["id"]))
    if heir:
        db.execute("UPDATE OR IGNORE resolutions SET comment_id = ? WHERE comment_id = ?", (heir, comment["id"]))
    db.execute("DELETE FROM review_comments WHERE id = ?", (comment["id"],))
    reactions.forget(db, "review_comment", comment["id"])
    pull = issues.numbered(db, comment["issue_id"])
    issues.touch(db, pull["id"])
    tell(db, pull, user_id, "pull_request_review_comment.deleted", subject=comment["id"], gone=dict(comment))


def find(
    db: sqlite3.Connection, pull_id: int, *, viewer: int | None = None, limit: int = -1, offset: int = 0
) -> list[sqlite3.Row]:
    """A review that is not submitted is there for its author only."""
    return db.execute(
        "SELECT *, count(*) OVER () AS total FROM reviews WHERE issue_id = ? AND (state != 'PENDING' OR user_id = ?)"
        " ORDER BY id LIMIT ? OFFSET ?",
        (pull_id, viewer, limit, offset),
    ).fetchall()


def get(db: sqlite3.Connection, pull_id: int, review_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM reviews WHERE issue_id = ? AND id = ?", (pull_id, review_id)
    ).fetchone()
    return row


def submit(db: sqlite3.Connection, pull: sqlite3.Row, review: sqlite3.Row, state: str, body: str | None) -> None:
    db.execute(
        "UPDATE reviews SET state = ?, body = coalesce(?, body), submitted = ? WHERE id = ?",
        (state, body, now(), review["id"]),
    )
    issues.touch(db, pull["id"])
    tell(db, pull, review["user_id"], "pull_request_review.submitted", subject=review["id"])
    for comment in comments_of_review(db, review["id"]):
        tell(db, pull, review["user_id"], "pull_request_review_comment.created", subject=comment["id"])


def pending(db: sqlite3.Connection, pull_id: int, user_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM reviews WHERE issue_id = ? AND user_id = ? AND state = 'PENDING'", (pull_id, user_id)
    ).fetchone()
    return row


def drop(db: sqlite3.Connection, review: sqlite3.Row) -> None:
    """Forget a pending review with its comments."""
    db.execute("DELETE FROM review_comments WHERE review_id = ?", (review["id"],))
    db.execute("DELETE FROM reviews WHERE id = ?", (review["id"],))
    issues.touch(db, review["issue_id"])


def dismiss(db: sqlite3.Connection, pull: sqlite3.Row, review: sqlite3.Row, user_id: int) -> None:
    db.execute("UPDATE reviews SET state = 'DISMISSED' WHERE id = ?", (review["id"],))
    issues.touch(db, pull["id"])
    tell(db, pull, user_id, "pull_request_review.dismissed", subject=review["id"])
    activity.note(db, pull, user_id, "review_dismissed", review=review["id"])


def comments_of_pull(db: sqlite3.Connection, pull_id: int, *, limit: int = -1, offset: int = 0) -> list[sqlite3.Row]:
    return db.execute(_OF_PULL, (pull_id, limit, offset)).fetchall()


def comments_of_review(
    db: sqlite3.Connection, review_id: int, *, limit: int = -1, offset: int = 0
) -> list[sqlite3.Row]:
    return db.execute(_OF_REVIEW, (review_id, limit, offset)).fetchall()


def comments_of_repository(
    db: sqlite3.Connection, repository_id: int, *, since: str | None = None, limit: int = -1, offset: int = 0
) -> list[sqlite3.Row]:
    return db.execute(_OF_REPOSITORY, (repository_id, since, since, limit, offset)).fetchall()


def get_comment(db: sqlite3.Connection, repository_id: int, comment_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(_ONE, (repository_id, comment_id)).fetchone()
    return row


def verdicts(db: sqlite3.Connection, pull_id: int) -> list[sqlite3.Row]:
    """The last review of each person that is more than a comment."""
    return db.execute(
        "SELECT * FROM reviews WHERE id IN (SELECT max(reviews.id) FROM reviews JOIN items ON items.id = issue_id"
        " WHERE issue_id = ? AND reviews.user_id != items.user_id"
        " AND reviews.state IN ('APPROVED', 'CHANGES_REQUESTED', 'DISMISSED') GROUP BY reviews.user_id)",
        (pull_id,),
    ).fetchall()
