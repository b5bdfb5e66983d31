"""GitHub Apps, where they are installed, and the tokens that their installations were given."""

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping

from entropy.forge.clock import now
from entropy.forge.permissions import token_hash
from entropy.forge.records import activity, users

_REACHED = (
    "SELECT repositories.id FROM repositories JOIN installations ON account_id = owner_id"
    " WHERE installations.id = :installation AND deleted IS NULL AND (everything OR repositories.id IN"
    " (SELECT repository_id FROM installation_repositories WHERE installation_id = :installation))"
    " ORDER BY repositories.id"
)


def create(db: sqlite3.Connection, *, slug: str, name: str, owner: str, public_key: str) -> sqlite3.Row:
    """The app and its bot, whose login is the slug with ``[bot]``."""
    db.execute("INSERT INTO users (login, name, created) VALUES (?, ?, ?)", (f"{slug}[bot]", name, now()))
    bot = users.named(db, f"{slug}[bot]")
    row: sqlite3.Row = db.execute(
        "INSERT INTO apps (slug, name, owner_id, bot_id, public_key, created, updated)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *",
        (slug, name, users.owner(db, owner)["id"], bot["id"] if bot else None, public_key, now(), now()),
    ).fetchone()
    return row


def numbered(db: sqlite3.Connection, app_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM apps WHERE id = ?", (app_id,)).fetchone()
    return row


def named(db: sqlite3.Connection, slug: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM apps WHERE slug = ?", (slug,)).fetchone()
    return row


def of_bot(db: sqlite3.Connection, user_id: int) -> sqlite3.Row | None:
    """The app that acts as this user."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM apps WHERE bot_id = ?", (user_id,)).fetchone()
    return row


def granted(db: sqlite3.Connection, app_id: int) -> dict[str, str]:
    """What the app asks for: as much as any of its installations was given."""
    rows = db.execute("SELECT permissions FROM installations WHERE app_id = ?", (app_id,)).fetchall()
    found: dict[str, str] = {}
    for name, level in (pair for row in rows for pair in json.loads(row["permissions"]).items()):
        found[name] = max(found.get(name, ""), level, key=("", "read", "write", "admin").index)
    return found


def install(db: sqlite3.Connection, app_id: int, account_id: int, permissions: Mapping[str, str]) -> sqlite3.Row:
    """On all repositories of the account; again means with other permissions."""
    row: sqlite3.Row = db.execute(
        "INSERT INTO installations (app_id, account_id, everything, permissions, created, updated)"
        " VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT (app_id, account_id) DO UPDATE"
        " SET everything = 1, permissions = excluded.permissions, updated = excluded.updated RETURNING *",
        (app_id, account_id, json.dumps(dict(permissions)), now(), now()),
    ).fetchone()
    return row


def choose(db: sqlite3.Connection, installation_id: int, repositories: Iterable[int]) -> None:
    """Let the installation reach these repositories only."""
    db.execute("UPDATE installations SET everything = 0, updated = ? WHERE id = ?", (now(), installation_id))
    db.execute("DELETE FROM installation_repositories WHERE installation_id = ?", (installation_id,))
    db.executemany(
        "INSERT INTO installation_repositories (installation_id, repository_id) VALUES (?, ?)",
        ((installation_id, repository) for repository in repositories),
    )


def uninstall(db: sqlite3.Connection, installation_id: int) -> None:
    row = installation(db, installation_id)
    if row:
        tell(db, row, "installation.deleted", repositories=reached(db, installation_id))
        db.execute("DELETE FROM installations WHERE id = ?", (installation_id,))


def suspend(db: sqlite3.Connection, installation_id: int, moment: str | None) -> None:
    """None lets it work again."""
    db.execute("UPDATE installations SET suspended = ? WHERE id = ?", (moment, installation_id))
    row = installation(db, installation_id)
    if row:
        tell(db, row, "installation.suspend" if moment else "installation.unsuspend")


def tell(db: sqlite3.Connection, row: sqlite3.Row, what: str, **detail: object) -> None:
    """Something happened to an installation, which may be gone when it is told; its account has done it."""
    known = {"installation": row["id"], "app": row["app_id"], "row": dict(row), **detail}
    activity.tell(db, (None, None), row["account_id"], what, detail=known)


def tell_change(db: sqlite3.Connection, former: list[int] | None, installation_id: int) -> None:
    """Tell that an app was installed, or which repositories came and went; `former` are those that it reached."""
    row, present = installation(db, installation_id), reached(db, installation_id)
    if row is None:
        return
    if former is None:
        tell(db, row, "installation.created", repositories=present)
        return
    added, removed = sorted({*present} - {*former}), sorted({*former} - {*present})
    if added:
        tell(db, row, "installation_repositories.added", added=added, removed=[])
    if removed:
        tell(db, row, "installation_repositories.removed", added=[], removed=removed)


def installations(db: sqlite3.Connection, app_id: int) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM installations WHERE app_id = ? ORDER BY id", (app_id,)).fetchall()


def installation(db: sqlite3.Connection, installation_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM installations WHERE id = ?", (installation_id,)).fetchone()
    return row


def installed_on(db: sqlite3.Connection, app_id: int, account_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM installations WHERE app_id = ? AND account_id = ?", (app_id, account_id)
    ).fetchone()
    return row


def reached(db: sqlite3.Connection, installation_id: int) -> list[int]:
    """The ids of all repositories that the installation reaches."""
    return [int(row["id"]) for row in db.execute(_REACHED, {"installation": installation_id})]


def reaches(db: sqlite3.Connection, installation: sqlite3.Row, repository: sqlite3.Row) -> bool:
    if installation["account_id"] != repository["owner_id"]:
        return False
    chosen = db.execute(
        "SELECT 1 FROM installation_repositories WHERE installation_id = ? AND repository_id = ?",
        (installation["id"], repository["id"]),
    ).fetchone()
    return bool(installation["everything"] or chosen)


def give_token(
    db: sqlite3.Connection,
    installation_id: int,
    token: str,
    *,
    permissions: Mapping[str, str],
    repositories: list[int] | None,
    expires: float,
) -> None:
    db.execute("DELETE FROM installation_tokens WHERE expires < ?", (time.time() - 3600,))
    db.execute(
        "INSERT INTO installation_tokens (hash, installation_id, permissions, repositories, expires)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            token_hash(token),
            installation_id,
            json.dumps(dict(permissions)),
            None if repositories is None else json.dumps(repositories),
            expires,
        ),
    )


def token(db: sqlite3.Connection, hashed: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM installation_tokens WHERE hash = ?", (hashed,)).fetchone()
    return row


def revoke(db: sqlite3.Connection, hashed: str) -> None:
    db.execute("DELETE FROM installation_tokens WHERE hash = ?", (hashed,))
