"""Where branches and tags were when the forge last looked."""

import sqlite3
from collections.abc import Mapping


def known(db: sqlite3.Connection, repository_id: int) -> dict[str, str]:
    rows = db.execute("SELECT ref, sha FROM tips WHERE repository_id = ?", (repository_id,))
    return {row["ref"]: row["sha"] for row in rows}


def remember(db: sqlite3.Connection, repository_id: int, refs: Mapping[str, str]) -> None:
    """`refs` is all there is now."""
    former = known(db, repository_id)
    gone = [(repository_id, name) for name in former.keys() - refs.keys()]
    db.executemany("DELETE FROM tips WHERE repository_id = ? AND ref = ?", gone)
    db.executemany(
        "INSERT INTO tips (repository_id, ref, sha) VALUES (?, ?, ?)"
        " ON CONFLICT (repository_id, ref) DO UPDATE SET sha = excluded.sha",
        [(repository_id, name, sha) for name, sha in refs.items() if former.get(name) != sha],
    )
