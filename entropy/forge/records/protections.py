"""What a branch asks of a pull request before it takes it in."""

import json
import sqlite3
from typing import Any


def get(db: sqlite3.Connection, repository_id: int, branch: str) -> dict[str, Any] | None:
    row = db.execute(
        "SELECT rules FROM protections WHERE repository_id = ? AND branch = ?", (repository_id, branch)
    ).fetchone()
    found: dict[str, Any] | None = json.loads(row["rules"]) if row else None
    return found


def put(db: sqlite3.Connection, repository_id: int, branch: str, rules: dict[str, Any]) -> None:
    db.execute(
        "INSERT INTO protections (repository_id, branch, rules) VALUES (?, ?, ?)"
        " ON CONFLICT (repository_id, branch) DO UPDATE SET rules = excluded.rules",
        (repository_id, branch, json.dumps(rules)),
    )


def delete(db: sqlite3.Connection, repository_id: int, branch: str) -> bool:
    gone = db.execute("DELETE FROM protections WHERE repository_id = ? AND branch = ?", (repository_id, branch))
    return gone.rowcount > 0
