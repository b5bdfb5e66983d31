"""A counter for each repository that every change of what its issues look like moves on: 304 for the price of a look.

Triggers move it in the transaction of the change, whoever makes it.
"""

import sqlite3

_OF_ISSUE = "(SELECT repository_id FROM issues WHERE id = {row}.issue_id)"
TABLES = {
    "issues": "({row}.repository_id)",
    "labels": "({row}.repository_id)",
    "collaborators": "({row}.repository_id)",
    "pulls": _OF_ISSUE,
    "comments": _OF_ISSUE,
    "issue_labels": _OF_ISSUE,
    "assignees": _OF_ISSUE,
    "reviews": _OF_ISSUE,
    "locks": _OF_ISSUE,
    "review_comments": (
        "(SELECT repository_id FROM reviews JOIN issues ON issues.id = reviews.issue_id"
        " WHERE reviews.id = {row}.review_id)"
    ),
    "reactions": "(SELECT repository_id FROM issues WHERE {row}.kind = 'issue' AND id = {row}.subject_id)",
    "sub_issues": "(SELECT repository_id FROM issues WHERE id IN ({row}.child_id, {row}.parent_id))",
    "dependencies": "(SELECT repository_id FROM issues WHERE id IN ({row}.issue_id, {row}.blocker_id))",
}
"""What the shape of an issue is made of, with the repositories that a row of it belongs to."""
_EVENTS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}
_MOVE = "UPDATE repositories SET version = version + 1"
_SHOWN = ("owner_id", "name", "private", "archived", "deleted")


def install(db: sqlite3.Connection) -> None:
    """The triggers, where they are not there yet."""
    for table, place in TABLES.items():
        for event, row in _EVENTS.items():
            _trigger(db, f"{table}_{event}", f"{event} ON {table}", f"WHERE id IN {place.format(row=row)}")
    _trigger(db, "homes", f"UPDATE OF {', '.join(_SHOWN)} ON repositories", "WHERE id = NEW.id")
    changed = "UPDATE OF login, kind ON users WHEN OLD.login != NEW.login OR OLD.kind != NEW.kind"
    _trigger(db, "people", changed, "")


def _trigger(db: sqlite3.Connection, name: str, event: str, where: str) -> None:
    db.execute(f"CREATE TRIGGER IF NOT EXISTS version_{name} AFTER {event} BEGIN {_MOVE} {where}; END")


def touch(db: sqlite3.Connection, repository_id: int) -> None:
    """Inside the transaction of a change that is in none of the tables above, and shows in an issue's JSON."""
    db.execute(f"{_MOVE} WHERE id = ?", (repository_id,))
