"""What can become of a repository: another name, another owner, an archive, nothing."""

import sqlite3

from entropy.forge.clock import now
from entropy.forge.records import users


def rename(db: sqlite3.Connection, home: sqlite3.Row, name: str) -> None:
    """To a name that is free; the former one leads here from now on."""
    _relocate(db, home, home["owner"], name)


def transfer(db: sqlite3.Connection, home: sqlite3.Row, owner: str, name: str | None = None) -> None:
    """To a name that is free with another owner, who is made where nobody has this login."""
    _relocate(db, home, users.owner(db, owner)["login"], name or home["name"])


def _relocate(db: sqlite3.Connection, home: sqlite3.Row, owner: str, name: str) -> None:
    if (owner.lower(), name.lower()) != (home["owner"].lower(), home["name"].lower()):
        db.execute(
            "INSERT OR REPLACE INTO former_names (owner, name, repository_id) VALUES (?, ?, ?)",
            (home["owner"], home["name"], home["id"]),
        )
    claim(db, owner, name)
    db.execute(
        "UPDATE repositories SET owner_id = (SELECT id FROM users WHERE login = ?), name = ?, updated = ? WHERE id = ?",
        (owner, name, now(), home["id"]),
    )


def claim(db: sqlite3.Connection, owner: str, name: str) -> None:
    """Somebody has this name now: it leads nowhere else any more."""
    db.execute("DELETE FROM former_names WHERE owner = ? AND name = ?", (owner, name))


def archive(db: sqlite3.Connection, home: sqlite3.Row, *, archived: bool) -> None:
    db.execute("UPDATE repositories SET archived = ?, updated = ? WHERE id = ?", (archived, now(), home["id"]))


def delete(db: sqlite3.Connection, home: sqlite3.Row) -> None:
    """Nobody finds it again; its name, which no repository may have, is free for another."""
    db.execute("DELETE FROM former_names WHERE repository_id = ?", (home["id"],))
    db.execute("DELETE FROM installation_repositories WHERE repository_id = ?", (home["id"],))
    db.execute(
        "UPDATE repositories SET name = '~' || id, deleted = ?, updated = ? WHERE id = ?", (now(), now(), home["id"])
    )
