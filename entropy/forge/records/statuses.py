"""What is said about commits: statuses and check runs."""

import sqlite3
from collections.abc import Mapping

from entropy.forge.clock import now

CHECK_FIELDS = (
    "name", "status", "conclusion", "external_id", "details_url", "title", "summary", "text", "started", "completed",
)  # fmt: skip

_CREATE_RUN = (
    "INSERT INTO check_runs (repository_id, sha, user_id, name, status, conclusion, external_id, details_url, title,"
    " summary, text, started, completed) VALUES (:repository_id, :sha, :user_id, :name, :status, :conclusion,"
    " :external_id, :details_url, :title, :summary, :text, :started, :completed) RETURNING *"
)
_UPDATE_RUN = (
    "UPDATE check_runs SET name = :name, status = :status, conclusion = :conclusion, external_id = :external_id,"
    " details_url = :details_url, title = :title, summary = :summary, text = :text, started = :started,"
    " completed = :completed WHERE id = :id RETURNING *"
)
_LATEST = (
    "SELECT *, count(*) OVER () AS total FROM statuses WHERE id IN (SELECT max(id) FROM statuses"
    " WHERE repository_id = ? AND sha = ? GROUP BY context) ORDER BY id LIMIT ? OFFSET ?"
)


def create(
    db: sqlite3.Connection, commit: tuple[int, str], user_id: int, values: Mapping[str, str | None]
) -> sqlite3.Row:
    """`commit` is repository id and sha; `values` are state, context, description and target_url."""
    row: sqlite3.Row = db.execute(
        "INSERT INTO statuses (repository_id, sha, user_id, created, state, context, description, target_url)"
        " VALUES (:repository_id, :sha, :user_id, :created, :state, :context, :description, :target_url) RETURNING *",
        {**values, "repository_id": commit[0], "sha": commit[1], "user_id": user_id, "created": now()},
    ).fetchone()
    return row


def get(db: sqlite3.Connection, repository_id: int, status_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM statuses WHERE repository_id = ? AND id = ?", (repository_id, status_id)
    ).fetchone()
    return row


def find(
    db: sqlite3.Connection, repository_id: int, sha: str, *, limit: int = -1, offset: int = 0
) -> list[sqlite3.Row]:
    """Every status of a commit, newest first."""
    return db.execute(
        "SELECT *, count(*) OVER () AS total FROM statuses WHERE repository_id = ? AND sha = ?"
        " ORDER BY id DESC LIMIT ? OFFSET ?",
        (repository_id, sha, limit, offset),
    ).fetchall()


def latest(
    db: sqlite3.Connection, repository_id: int, sha: str, *, limit: int = -1, offset: int = 0
) -> list[sqlite3.Row]:
    """The newest status of each context."""
    return db.execute(_LATEST, (repository_id, sha, limit, offset)).fetchall()


def combined(db: sqlite3.Connection, repository_id: int, sha: str) -> str:
    """GitHub's rule: any failure or error is a failure, nothing or anything pending is pending, else success."""
    states = {row["state"] for row in latest(db, repository_id, sha)}
    if states & {"failure", "error"}:
        return "failure"
    return "success" if states == {"success"} else "pending"


def create_run(
    db: sqlite3.Connection, commit: tuple[int, str], user_id: int, values: Mapping[str, str | None]
) -> sqlite3.Row:
    row: sqlite3.Row = db.execute(
        _CREATE_RUN, {**values, "repository_id": commit[0], "sha": commit[1], "user_id": user_id}
    ).fetchone()
    return row


def update_run(db: sqlite3.Connection, run_id: int, values: Mapping[str, str | None]) -> sqlite3.Row:
    row: sqlite3.Row = db.execute(_UPDATE_RUN, {**values, "id": run_id}).fetchone()
    return row


def get_run(db: sqlite3.Connection, repository_id: int, run_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM check_runs WHERE repository_id = ? AND id = ?", (repository_id, run_id)
    ).fetchone()
    return row


def runs(
    db: sqlite3.Connection, commit: tuple[int, str], *, name: str | None = None, limit: int = -1, offset: int = 0
) -> list[sqlite3.Row]:
    """The newest check run of each name."""
    return db.execute(
        "SELECT *, count(*) OVER () AS total FROM check_runs WHERE id IN (SELECT max(id) FROM check_runs"
        " WHERE repository_id = :repository AND sha = :sha GROUP BY name) AND (:name IS NULL OR name = :name)"
        " ORDER BY id DESC LIMIT :limit OFFSET :offset",
        {"repository": commit[0], "sha": commit[1], "name": name, "limit": limit, "offset": offset},
    ).fetchall()


_RED = {"failure", "cancelled", "timed_out", "action_required", "startup_failure", "stale"}


def verdicts(db: sqlite3.Connection, commit: tuple[int, str]) -> dict[str, str]:
    """What every status and check run of a commit comes to, by name: success, failure or pending."""
    found = {row["context"]: row["state"] for row in latest(db, *commit)}
    told = {name: "failure" if state == "error" else state for name, state in found.items()}
    for row in runs(db, commit):
        verdict = "failure" if row["conclusion"] in _RED else "success"
        told[row["name"]] = verdict if row["status"] == "completed" else "pending"
    return told


def rollup(db: sqlite3.Connection, commit: tuple[int, str]) -> str | None:
    """GraphQL's word for all of them; None where nothing is said."""
    found = set(verdicts(db, commit).values())
    return next((word.upper() for word in ("failure", "pending", "success") if word in found), None)
