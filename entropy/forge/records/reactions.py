"""Reactions to issues, comments and review comments."""

import sqlite3

from entropy.forge.clock import now

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def add(db: sqlite3.Connection, subject: tuple[str, int], user_id: int, content: str) -> tuple[sqlite3.Row, bool]:
    """`subject` is a kind and an id; nobody says the same twice, so this tells whether it is new."""
    added = db.execute(
        "INSERT INTO reactions (kind, subject_id, user_id, content, created) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (*subject, user_id, content, now()),
    )
    row: sqlite3.Row = db.execute(
        "SELECT * FROM reactions WHERE kind = ? AND subject_id = ? AND user_id = ? AND content = ?",
        (*subject, user_id, content),
    ).fetchone()
    return row, bool(added.rowcount)


def find(
    db: sqlite3.Connection, subject: tuple[str, int], *, content: str | None = None, limit: int = -1, offset: int = 0
) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT *, count(*) OVER () AS total FROM reactions WHERE kind = :kind AND subject_id = :subject"
        " AND (:content IS NULL OR content = :content) ORDER BY id LIMIT :limit OFFSET :offset",
        {"kind": subject[0], "subject": subject[1], "content": content, "limit": limit, "offset": offset},
    ).fetchall()


def get(db: sqlite3.Connection, subject: tuple[str, int], reaction_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM reactions WHERE kind = ? AND subject_id = ? AND id = ?", (*subject, reaction_id)
    ).fetchone()
    return row


def remove(db: sqlite3.Connection, reaction_id: int) -> None:
    db.execute("DELETE FROM reactions WHERE id = ?", (reaction_id,))


def forget(db: sqlite3.Connection, kind: str, subject_id: int) -> None:
    """What was reacted to is gone."""
    db.execute("DELETE FROM reactions WHERE kind = ? AND subject_id = ?", (kind, subject_id))


def counted(db: sqlite3.Connection, kind: str, subject_id: int) -> dict[str, int]:
    rows = db.execute(
        "SELECT content, count(*) AS n FROM reactions WHERE kind = ? AND subject_id = ? GROUP BY content",
        (kind, subject_id),
    )
    return {row["content"]: row["n"] for row in rows}
