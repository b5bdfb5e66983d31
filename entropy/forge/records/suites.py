"""Check suites, and the annotations of check runs."""

import sqlite3
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from entropy.forge.clock import now


@dataclass(frozen=True)
class Annotation:
    path: str
    start_line: int
    end_line: int
    start_column: int | None
    end_column: int | None
    level: str
    title: str | None
    message: str
    raw_details: str | None


def ensure(db: sqlite3.Connection, commit: tuple[int, str], user_id: int) -> tuple[sqlite3.Row, bool]:
    """The suite of somebody for a commit (repository id and sha), and whether it is new."""
    added = db.execute(
        "INSERT INTO check_suites (repository_id, sha, user_id, created, updated) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (*commit, user_id, now(), now()),
    )
    return of_author(db, commit, user_id), bool(added.rowcount)


def of_author(db: sqlite3.Connection, commit: tuple[int, str], user_id: int) -> sqlite3.Row:
    row: sqlite3.Row = db.execute(
        "SELECT * FROM check_suites WHERE repository_id = ? AND sha = ? AND user_id = ?", (*commit, user_id)
    ).fetchone()
    return row


def touch(db: sqlite3.Connection, suite_id: int) -> None:
    db.execute("UPDATE check_suites SET updated = ? WHERE id = ?", (now(), suite_id))


def get(db: sqlite3.Connection, repository_id: int, suite_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM check_suites WHERE repository_id = ? AND id = ?", (repository_id, suite_id)
    ).fetchone()
    return row


def find(db: sqlite3.Connection, commit: tuple[int, str]) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM check_suites WHERE repository_id = ? AND sha = ? ORDER BY id", commit).fetchall()


def runs(db: sqlite3.Connection, suite: sqlite3.Row) -> list[sqlite3.Row]:
    """The newest run of each name."""
    return db.execute(
        "SELECT * FROM check_runs WHERE id IN (SELECT max(id) FROM check_runs WHERE repository_id = ? AND sha = ?"
        " AND user_id = ? GROUP BY name) ORDER BY id",
        (suite["repository_id"], suite["sha"], suite["user_id"]),
    ).fetchall()


def verdict(db: sqlite3.Connection, suite: sqlite3.Row) -> tuple[str, str | None]:
    """Status and conclusion."""
    found = runs(db, suite)
    if not found:
        return "queued", None
    if any(run["status"] != "completed" for run in found):
        return "in_progress", None
    said = {run["conclusion"] for run in found}
    ranks = ("failure", "timed_out", "cancelled", "action_required", "stale", "success", "neutral", "skipped")
    return "completed", next((word for word in ranks if word in said), "neutral")


def annotate(db: sqlite3.Connection, run_id: int, made: Iterable[Annotation]) -> None:
    """Add to what is there, as GitHub does with every update."""
    db.executemany(
        "INSERT INTO annotations (run_id, path, start_line, end_line, start_column, end_column, level, title, message,"
        " raw_details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((run_id, *astuple(one)) for one in made),
    )


def annotations(db: sqlite3.Connection, run_id: int) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM annotations WHERE run_id = ? ORDER BY id", (run_id,)).fetchall()


def counted(db: sqlite3.Connection, run_id: int) -> int:
    return int(db.execute("SELECT count(*) FROM annotations WHERE run_id = ?", (run_id,)).fetchone()[0])
