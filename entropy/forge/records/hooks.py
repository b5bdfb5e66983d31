"""Webhooks: who wants to be told of what, and where."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from entropy.forge.clock import now
from entropy.forge.records import apps

ALWAYS = frozenset({"installation", "installation_repositories", "ping"})
"""Events that an App is told of without asking."""


@dataclass(frozen=True)
class Target:
    """A hook that is to be told, and the installation through which an App hears of it."""

    hook: sqlite3.Row
    installation: sqlite3.Row | Mapping[str, Any] | None = None

    def wants(self, event: str) -> bool:
        wanted = json.loads(self.hook["events"])
        return event in wanted or "*" in wanted or (self.installation is not None and event in ALWAYS)


def create(
    db: sqlite3.Connection, owner: tuple[int | None, int | None], values: Mapping[str, Any], *, origin: str
) -> sqlite3.Row:
    """`owner` is a repository's or an App's id; `values` are active, events and the parts of the config."""
    row: sqlite3.Row = db.execute(
        "INSERT INTO hooks (repository_id, app_id, origin, created, updated, active, events, url, content_type, secret,"
        " insecure_ssl) VALUES (:repository, :app, :origin, :now, :now, :active, :events, :url, :content_type, :secret,"
        " :insecure_ssl) RETURNING *",
        {
            **values,
            "events": json.dumps(values["events"]),
            "repository": owner[0],
            "app": owner[1],
            "origin": origin,
            "now": now(),
        },
    ).fetchone()
    return row


def edit(db: sqlite3.Connection, hook: sqlite3.Row, values: Mapping[str, Any]) -> sqlite3.Row:
    row: sqlite3.Row = db.execute(
        "UPDATE hooks SET active = :active, events = :events, url = :url, content_type = :content_type,"
        " secret = :secret, insecure_ssl = :insecure_ssl, updated = :now WHERE id = :id RETURNING *",
        {**values, "events": json.dumps(values["events"]), "now": now(), "id": hook["id"]},
    ).fetchone()
    return row


def values(hook: sqlite3.Row) -> dict[str, Any]:
    """As `create` and `edit` take them."""
    names = ("active", "url", "content_type", "secret", "insecure_ssl")
    return {**{name: hook[name] for name in names}, "events": json.loads(hook["events"])}


def find(db: sqlite3.Connection, repository_id: int) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM hooks WHERE repository_id = ? ORDER BY id", (repository_id,)).fetchall()


def get(db: sqlite3.Connection, repository_id: int, hook_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM hooks WHERE repository_id = ? AND id = ?", (repository_id, hook_id)
    ).fetchone()
    return row


def numbered(db: sqlite3.Connection, hook_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM hooks WHERE id = ?", (hook_id,)).fetchone()
    return row


def of_app(db: sqlite3.Connection, app_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM hooks WHERE app_id = ?", (app_id,)).fetchone()
    return row


def delete(db: sqlite3.Connection, hook_id: int) -> None:
    db.execute("DELETE FROM hooks WHERE id = ?", (hook_id,))


def listening(db: sqlite3.Connection, home: sqlite3.Row | None, detail: Mapping[str, Any]) -> list[Target]:
    """Whom something is told that happens in a repository, or to an installation, of which `detail` has the facts."""
    found = [Target(row) for row in find(db, home["id"]) if row["active"]] if home else []
    for row in db.execute("SELECT * FROM hooks WHERE app_id IS NOT NULL AND active ORDER BY id").fetchall():
        if home:
            installed = apps.installed_on(db, row["app_id"], home["owner_id"])
            if installed and not installed["suspended"] and apps.reaches(db, installed, home):
                found.append(Target(row, installed))
        elif detail.get("app") == row["app_id"]:
            found.append(Target(row, detail["row"]))
    return found
