"""Repositories, their collaborators and their labels."""

import sqlite3

from entropy.forge.clock import now
from entropy.forge.names import is_login, is_repository
from entropy.forge.records import moves, users

_SELECT = (
    "SELECT repositories.*, users.login AS owner, users.login || '/' || repositories.name AS full_name"
    " FROM repositories JOIN users ON users.id = repositories.owner_id"
)
_NAMED = f"{_SELECT} WHERE users.login = ? AND repositories.name = ?"
_NUMBERED = f"{_SELECT} WHERE repositories.id = ?"
_ALIVE = f"{_NUMBERED} AND deleted IS NULL"
_ALL = f"{_SELECT} WHERE deleted IS NULL ORDER BY full_name"


def split(full_name: str) -> tuple[str, str] | None:
    owner, _, name = full_name.partition("/")
    return (owner, name) if is_login(owner) and is_repository(name) else None


def named(db: sqlite3.Connection, full_name: str) -> sqlite3.Row | None:
    parts = split(full_name)
    row: sqlite3.Row | None = db.execute(_NAMED, parts).fetchone() if parts else None
    return row


def numbered(db: sqlite3.Connection, repository_id: int) -> sqlite3.Row:
    row: sqlite3.Row = db.execute(_NUMBERED, (repository_id,)).fetchone()
    return row


def alive(db: sqlite3.Connection, repository_id: int) -> sqlite3.Row | None:
    """The repository of this id, unless it is deleted."""
    row: sqlite3.Row | None = db.execute(_ALIVE, (repository_id,)).fetchone()
    return row


def formerly(db: sqlite3.Connection, full_name: str) -> sqlite3.Row | None:
    """The repository that once had this name."""
    parts = split(full_name)
    row = parts and db.execute("SELECT repository_id FROM former_names WHERE owner = ? AND name = ?", parts).fetchone()
    return alive(db, row["repository_id"]) if row else None


def everyone(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute(_ALL).fetchall()


def create(db: sqlite3.Connection, name: tuple[str, str], *, branch: str, directory: str) -> int:
    """`name` is owner and name; the id comes back."""
    holder = users.owner(db, name[0])
    moves.claim(db, *name)
    row = db.execute(
        "INSERT INTO repositories (owner_id, name, default_branch, directory, created, updated)"
        " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        (holder["id"], name[1], branch, directory, now(), now()),
    ).fetchone()
    return int(row["id"])


def set_private(db: sqlite3.Connection, repository_id: int, *, private: bool) -> None:
    db.execute("UPDATE repositories SET private = ? WHERE id = ?", (private, repository_id))


def set_permission(db: sqlite3.Connection, repository_id: int, user_id: int, permission: str) -> None:
    db.execute(
        "INSERT INTO collaborators (repository_id, user_id, permission) VALUES (?, ?, ?)"
        " ON CONFLICT (repository_id, user_id) DO UPDATE SET permission = excluded.permission",
        (repository_id, user_id, permission),
    )


def open_issues(db: sqlite3.Connection, repository_id: int) -> int:
    row = db.execute(
        "SELECT count(*) AS n FROM issues WHERE repository_id = ? AND state = 'open'", (repository_id,)
    ).fetchone()
    return int(row["n"])


def labels(db: sqlite3.Connection, repository_id: int) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM labels WHERE repository_id = ? ORDER BY name", (repository_id,)).fetchall()


def label(db: sqlite3.Connection, repository_id: int, name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM labels WHERE repository_id = ? AND name = ?", (repository_id, name)
    ).fetchone()
    return row


def create_label(
    db: sqlite3.Connection, repository_id: int, name: str, *, color: str = "ededed", description: str | None = None
) -> sqlite3.Row:
    """The label of this name, made if new."""
    db.execute(
        "INSERT INTO labels (repository_id, name, color, description) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (repository_id, name) DO NOTHING",
        (repository_id, name, color, description),
    )
    row: sqlite3.Row = db.execute(
        "SELECT * FROM labels WHERE repository_id = ? AND name = ?", (repository_id, name)
    ).fetchone()
    return row
