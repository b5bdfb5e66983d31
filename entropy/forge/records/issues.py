"""Issues, and what issues and pull requests have in common: text, state, labels, assignees, links."""

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from entropy.forge.clock import now
from entropy.forge.records import activity, repositories

CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:([\w.-]+/[\w.-]+))?#(\d{1,9})\b", re.IGNORECASE
)

_FIND = """
SELECT items.*, count(*) OVER () AS total FROM items
WHERE repository_id = :repository
  AND (:state = 'all' OR state = :state)
  AND (:pulls IS NULL OR is_pull = :pulls)
  AND (:since IS NULL OR updated >= :since)
  AND (:creator IS NULL OR user_id = (SELECT id FROM users WHERE login = :creator))
  AND (:assignee IS NULL
       OR (:assignee = '*' AND EXISTS (SELECT 1 FROM assignees WHERE issue_id = items.id))
       OR (:assignee = 'none' AND NOT EXISTS (SELECT 1 FROM assignees WHERE issue_id = items.id))
       OR EXISTS (SELECT 1 FROM assignees JOIN users ON users.id = user_id
                  WHERE issue_id = items.id AND login = :assignee))
  AND (SELECT count(*) FROM json_each(:labels) AS wanted WHERE NOT EXISTS (
         SELECT 1 FROM issue_labels JOIN labels ON labels.id = label_id
         WHERE issue_id = items.id AND labels.name = wanted.value)) = 0
  AND (json_array_length(:any_label) = 0 OR EXISTS (
         SELECT 1 FROM issue_labels JOIN labels ON labels.id = label_id
         WHERE issue_id = items.id AND labels.name IN (SELECT value FROM json_each(:any_label))))
  AND (:text = '' OR instr(lower(title || ' ' || coalesce(body, '')), lower(:text)) > 0)
ORDER BY
  CASE WHEN :ascending THEN 1 ELSE -1 END * CASE :sort
    WHEN 'updated' THEN CAST(strftime('%s', updated) AS INTEGER)
    WHEN 'comments' THEN (SELECT count(*) FROM comments WHERE issue_id = items.id)
    ELSE 0 END,
  CASE WHEN :ascending THEN 1 ELSE -1 END * items.id
LIMIT :limit OFFSET :offset
"""


@dataclass(frozen=True)
class Filter:
    """Which issues to list; `pulls` None means issues and pull requests."""

    state: str = "open"
    pulls: bool | None = None
    labels: Sequence[str] = ()
    """All of them."""
    any_label: Sequence[str] = ()
    since: str | None = None
    creator: str | None = None
    assignee: str | None = None
    text: str = ""
    sort: str = "created"
    ascending: bool = False
    limit: int = 30
    offset: int = field(default=0)


def find(db: sqlite3.Connection, repository_id: int, wanted: Filter) -> list[sqlite3.Row]:
    """One page; each row says in `total` how many there are."""
    lists = {"labels": json.dumps(list(wanted.labels)), "any_label": json.dumps(list(wanted.any_label))}
    values = {**vars(wanted), **lists, "repository": repository_id}
    return db.execute(_FIND, values).fetchall()


def get(db: sqlite3.Connection, repository_id: int, number: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM items WHERE repository_id = ? AND number = ?", (repository_id, number)
    ).fetchone()
    return row


def numbered(db: sqlite3.Connection, issue_id: int) -> sqlite3.Row:
    row: sqlite3.Row = db.execute("SELECT * FROM items WHERE id = ?", (issue_id,)).fetchone()
    return row


def create(
    db: sqlite3.Connection, repository_id: int, user_id: int, *, title: str, body: str | None, is_pull: bool = False
) -> sqlite3.Row:
    number = db.execute(
        "UPDATE repositories SET last_number = last_number + 1 WHERE id = ? RETURNING last_number", (repository_id,)
    ).fetchone()[0]
    row = db.execute(
        "INSERT INTO issues (repository_id, number, is_pull, title, body, user_id, created, updated)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (repository_id, number, is_pull, title, body, user_id, now(), now()),
    ).fetchone()
    made = numbered(db, row["id"])
    if not is_pull:
        activity.note(db, made, user_id, "opened")
    return made


def touch(db: sqlite3.Connection, issue_id: int) -> None:
    db.execute("UPDATE issues SET updated = ? WHERE id = ?", (now(), issue_id))


def rewrite(db: sqlite3.Connection, issue: sqlite3.Row, user_id: int, *, title: str, body: str | None) -> None:
    former = {name: {"from": issue[name]} for name, new in (("title", title), ("body", body)) if new != issue[name]}
    if not former:
        return
    db.execute("UPDATE issues SET title = ?, body = ?, updated = ? WHERE id = ?", (title, body, now(), issue["id"]))
    activity.note(db, issue, user_id, "edited", changes=former, title=title)


def close(
    db: sqlite3.Connection, issue: sqlite3.Row, user_id: int, *, reason: str | None, commit: str | None = None
) -> None:
    if issue["state"] == "closed":
        return
    db.execute(
        "UPDATE issues SET state = 'closed', state_reason = ?, closed = ?, closed_by = ?, updated = ? WHERE id = ?",
        (reason, now(), user_id, now(), issue["id"]),
    )
    activity.note(db, issue, user_id, "closed", commit=commit, reason=reason)


def reopen(db: sqlite3.Connection, issue: sqlite3.Row, user_id: int) -> None:
    if issue["state"] == "open":
        return
    db.execute(
        "UPDATE issues SET state = 'open', state_reason = 'reopened', closed = NULL, closed_by = NULL, updated = ?"
        " WHERE id = ?",
        (now(), issue["id"]),
    )
    activity.note(db, issue, user_id, "reopened")


def labels(db: sqlite3.Connection, issue_id: int) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT labels.* FROM issue_labels JOIN labels ON labels.id = label_id"
        " WHERE issue_id = ? ORDER BY issue_labels.rowid",
        (issue_id,),
    ).fetchall()


def add_labels(db: sqlite3.Connection, issue: sqlite3.Row, user_id: int, names: Iterable[str]) -> None:
    for name in names:
        label = repositories.create_label(db, issue["repository_id"], name)
        added = db.execute(
            "INSERT INTO issue_labels (issue_id, label_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (issue["id"], label["id"]),
        )
        if added.rowcount:
            activity.note(db, issue, user_id, "labeled", label=dict(label))
            touch(db, issue["id"])


def remove_labels(db: sqlite3.Connection, issue: sqlite3.Row, user_id: int, chosen: Iterable[sqlite3.Row]) -> None:
    for label in chosen:
        db.execute("DELETE FROM issue_labels WHERE issue_id = ? AND label_id = ?", (issue["id"], label["id"]))
        activity.note(db, issue, user_id, "unlabeled", label=dict(label))
        touch(db, issue["id"])


def replace_labels(db: sqlite3.Connection, issue: sqlite3.Row, user_id: int, names: Sequence[str]) -> None:
    kept = {name.lower() for name in names}
    remove_labels(db, issue, user_id, [row for row in labels(db, issue["id"]) if row["name"].lower() not in kept])
    add_labels(db, issue, user_id, names)


def assignees(db: sqlite3.Connection, issue_id: int) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT users.* FROM assignees JOIN users ON users.id = user_id WHERE issue_id = ? ORDER BY assignees.rowid",
        (issue_id,),
    ).fetchall()


def assign(db: sqlite3.Connection, issue: sqlite3.Row, user_id: int, assignee: int) -> None:
    added = db.execute(
        "INSERT INTO assignees (issue_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING", (issue["id"], assignee)
    )
    if added.rowcount:
        activity.note(db, issue, user_id, "assigned", assignee=assignee)
        touch(db, issue["id"])


def unassign(db: sqlite3.Connection, issue: sqlite3.Row, user_id: int, assignee: int) -> None:
    gone = db.execute("DELETE FROM assignees WHERE issue_id = ? AND user_id = ?", (issue["id"], assignee))
    if gone.rowcount:
        activity.note(db, issue, user_id, "unassigned", assignee=assignee)
        touch(db, issue["id"])


def link(db: sqlite3.Connection, pull: sqlite3.Row, full_name: str) -> None:
    """Remember which issues of its repository the pull request says that it closes."""
    db.execute("DELETE FROM links WHERE pull_id = ?", (pull["id"],))
    for repository, number in CLOSING.findall(pull["body"] or ""):
        if repository and repository.lower() != full_name.lower():
            continue
        db.execute(
            "INSERT INTO links (pull_id, issue_id) SELECT ?, id FROM issues"
            " WHERE repository_id = ? AND number = ? AND NOT is_pull ON CONFLICT DO NOTHING",
            (pull["id"], pull["repository_id"], int(number)),
        )


def closed_by(db: sqlite3.Connection, pull_id: int) -> list[sqlite3.Row]:
    """The issues that this pull request closes when it is merged."""
    return db.execute(
        "SELECT items.* FROM links JOIN items ON items.id = links.issue_id WHERE pull_id = ? ORDER BY number",
        (pull_id,),
    ).fetchall()


def closing(db: sqlite3.Connection, issue_id: int) -> list[sqlite3.Row]:
    """The pull requests that close this issue when they are merged."""
    return db.execute(
        "SELECT items.* FROM links JOIN items ON items.id = links.pull_id WHERE links.issue_id = ? ORDER BY number",
        (issue_id,),
    ).fetchall()
