"""The search over issues and pull requests of many repositories."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

MOST = 1000
"""Hits that can be had of one search."""
_FIND = """
SELECT items.*, count(*) OVER () AS total FROM items
WHERE repository_id IN (SELECT value FROM json_each(:repositories))
  AND (:state IS NULL OR state = :state)
  AND (:pulls IS NULL OR is_pull = :pulls)
  AND (:merged IS NULL OR (merged IS NOT NULL) = :merged)
  AND (:draft IS NULL OR draft = :draft)
  AND (:author IS NULL OR user_id = (SELECT id FROM users WHERE login = :author))
  AND (:assignee IS NULL OR EXISTS (SELECT 1 FROM assignees JOIN users ON users.id = user_id
                                    WHERE issue_id = items.id AND login = :assignee))
  AND NOT EXISTS (SELECT 1 FROM json_each(:labels) AS names WHERE NOT EXISTS (
        SELECT 1 FROM issue_labels JOIN labels ON labels.id = label_id
        WHERE issue_id = items.id AND labels.name IN (SELECT value FROM json_each(names.value))))
  AND NOT EXISTS (SELECT 1 FROM issue_labels JOIN labels ON labels.id = label_id
                  WHERE issue_id = items.id AND labels.name IN (SELECT value FROM json_each(:without)))
  AND items.updated BETWEEN :updated_from AND :updated_to
  AND items.created BETWEEN :created_from AND :created_to
  AND (:text = '' OR instr(lower(title || ' ' || coalesce(body, '')), lower(:text)) > 0)
ORDER BY
  CASE WHEN :ascending THEN 1 ELSE -1 END * CASE :sort
    WHEN 'updated' THEN CAST(strftime('%s', items.updated) AS INTEGER)
    WHEN 'comments' THEN (SELECT count(*) FROM comments WHERE issue_id = items.id)
    ELSE 0 END,
  CASE WHEN :ascending THEN 1 ELSE -1 END * items.id
LIMIT :limit OFFSET :offset
"""
EVER = ("", "~")
"""Before and after every time that is written down."""


@dataclass(frozen=True)
class Wanted:
    repositories: Sequence[int]
    labels: Sequence[Sequence[str]] = ()
    """One of each."""
    without: Sequence[str] = ()
    state: str | None = None
    pulls: bool | None = None
    merged: bool | None = None
    draft: bool | None = None
    author: str | None = None
    assignee: str | None = None
    updated: tuple[str, str] = EVER
    created: tuple[str, str] = EVER
    text: str = ""
    sort: str = "created"
    ascending: bool = False
    limit: int = 30
    offset: int = 0


def find(db: sqlite3.Connection, wanted: Wanted) -> list[sqlite3.Row]:
    """One page; each row says in `total` how many there are."""
    values = vars(wanted) | {name: json.dumps(getattr(wanted, name)) for name in ("repositories", "labels", "without")}
    for name in ("updated", "created"):
        values[f"{name}_from"], values[f"{name}_to"] = values.pop(name)
    return db.execute(_FIND, values).fetchall()
