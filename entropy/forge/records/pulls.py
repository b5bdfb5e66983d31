"""Pull requests: the part of an item that issues don't have."""

import sqlite3
from dataclasses import dataclass

from entropy.forge.clock import now
from entropy.forge.records import activity, issues

_FIND = """
SELECT items.*, count(*) OVER () AS total FROM items
WHERE repository_id = :repository AND is_pull
  AND (:state = 'all' OR state = :state)
  AND (:head IS NULL OR head_ref = :head)
  AND (:base IS NULL OR base_ref = :base)
ORDER BY
  CASE WHEN :ascending THEN 1 ELSE -1 END
    * CASE WHEN :sort = 'updated' THEN CAST(strftime('%s', updated) AS INTEGER) ELSE 0 END,
  CASE WHEN :ascending THEN 1 ELSE -1 END * items.id
LIMIT :limit OFFSET :offset
"""


@dataclass(frozen=True)
class PullFilter:
    state: str = "open"
    head: str | None = None
    """Branch, without the owner."""
    base: str | None = None
    sort: str = "created"
    ascending: bool = False
    limit: int = 30
    offset: int = 0


@dataclass(frozen=True)
class Span:
    """What a pull request compares, by branch and by commit."""

    base: str
    base_sha: str
    head: str
    head_sha: str


def find(db: sqlite3.Connection, repository_id: int, wanted: PullFilter) -> list[sqlite3.Row]:
    """One page; each row says in `total` how many there are."""
    return db.execute(_FIND, {**vars(wanted), "repository": repository_id}).fetchall()


def of_branch(db: sqlite3.Connection, repository_id: int, *, head: str, base: str) -> sqlite3.Row | None:
    """The open pull request for this pair of branches; there is never more than one."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM items WHERE repository_id = ? AND is_pull AND state = 'open' AND head_ref = ? AND base_ref = ?",
        (repository_id, head, base),
    ).fetchone()
    return row


def attach(db: sqlite3.Connection, issue_id: int, span: Span, *, draft: bool) -> sqlite3.Row:
    db.execute(
        "INSERT INTO pulls (issue_id, base_ref, base_sha, head_ref, head_sha, draft) VALUES (?, ?, ?, ?, ?, ?)",
        (issue_id, span.base, span.base_sha, span.head, span.head_sha, draft),
    )
    made = issues.numbered(db, issue_id)
    activity.note(db, made, made["user_id"], "opened")
    return made


def move(db: sqlite3.Connection, pull: sqlite3.Row, user_id: int, span: tuple[str, str], *, forced: bool) -> None:
    """Follow the branches to `span`, head and base; `forced` says that the old head is not behind the new one."""
    db.execute("UPDATE pulls SET head_sha = ?, base_sha = ? WHERE issue_id = ?", (*span, pull["id"]))
    if span[0] != pull["head_sha"]:
        issues.touch(db, pull["id"])
        told = {"before": pull["head_sha"], "after": span[0], "commit": span[0], "forced": forced}
        activity.note(db, pull, user_id, "synchronize", **told)


def retarget(db: sqlite3.Connection, pull: sqlite3.Row, user_id: int, *, base: str, sha: str) -> None:
    db.execute("UPDATE pulls SET base_ref = ?, base_sha = ? WHERE issue_id = ?", (base, sha, pull["id"]))
    former = {"base": {"ref": {"from": pull["base_ref"]}, "sha": {"from": pull["base_sha"]}}}
    activity.note(db, pull, user_id, "edited", changes=former)


def set_draft(db: sqlite3.Connection, pull: sqlite3.Row, user_id: int, *, draft: bool) -> None:
    if bool(pull["draft"]) != draft:
        db.execute("UPDATE pulls SET draft = ? WHERE issue_id = ?", (draft, pull["id"]))
        issues.touch(db, pull["id"])
        activity.note(db, pull, user_id, "converted_to_draft" if draft else "ready_for_review")


def intend(db: sqlite3.Connection, pull_id: int, *, commit: str | None, user_id: int) -> None:
    """Remember a merge that is about to happen, so that a forge that dies in between can finish it."""
    db.execute("UPDATE pulls SET pending = ?, pending_by = ? WHERE issue_id = ?", (commit, user_id, pull_id))


def complete(db: sqlite3.Connection, pull: sqlite3.Row, *, commit: str, user_id: int, closes: bool) -> None:
    """Record the merge; `closes` says whether the issues that it names are done with it."""
    db.execute(
        "UPDATE pulls SET merged = ?, merged_by = ?, merge_sha = ?, pending = NULL WHERE issue_id = ?",
        (now(), user_id, commit, pull["id"]),
    )
    activity.note(db, pull, user_id, "merged", commit=commit)
    issues.close(db, pull, user_id, reason=None, commit=commit)
    for issue in issues.closed_by(db, pull["id"]) if closes else ():
        issues.close(db, issue, user_id, reason="completed", commit=commit)


def open_ones(db: sqlite3.Connection, repository_id: int) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT * FROM items WHERE repository_id = ? AND is_pull AND state = 'open' ORDER BY id", (repository_id,)
    ).fetchall()
