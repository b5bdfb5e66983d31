"""People and the organizations that own repositories."""

import re
import sqlite3

from entropy.forge.clock import now
from entropy.forge.permissions import new_token, token_hash


def named(db: sqlite3.Connection, login: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM users WHERE login = ?", (login,)).fetchone()
    return row


def numbered(db: sqlite3.Connection, user_id: int | None) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
    return row


def known(db: sqlite3.Connection, user_id: int) -> sqlite3.Row:
    """The user of a foreign key."""
    row: sqlite3.Row = db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
    return row


def enrol(db: sqlite3.Connection, login: str, name: str | None) -> str | None:
    """Create the user if new and give out a fresh token; None when the name is not legal."""
    if name is not None and not re.search(r"\w", name):
        return None
    clean = " ".join(re.sub(r"[<>\x00-\x1f\x7f\ud800-\udfff]", " ", name).split()) if name else None
    db.execute(
        "INSERT INTO users (login, name, created) VALUES (?, ?, ?)"
        " ON CONFLICT (login) DO UPDATE SET kind = 'User', name = coalesce(excluded.name, name)",
        (login, clean, now()),
    )
    token = new_token()
    db.execute(
        "INSERT INTO tokens (hash, user_id, created) SELECT ?, id, ? FROM users WHERE login = ?",
        (token_hash(token), now(), login),
    )
    return token


def owner(db: sqlite3.Connection, login: str) -> sqlite3.Row:
    """Who owns a repository; an organization is made where nobody has this login yet."""
    db.execute(
        "INSERT INTO users (login, kind, created) VALUES (?, 'Organization', ?) ON CONFLICT (login) DO NOTHING",
        (login, now()),
    )
    row: sqlite3.Row = db.execute("SELECT * FROM users WHERE login = ?", (login,)).fetchone()
    return row


def of_mail(db: sqlite3.Connection, mail: str) -> sqlite3.Row | None:
    """The user whose commits carry this address."""
    match = re.fullmatch(r"(\d{1,15})\+[^@]+@users\.noreply\.[\w.-]+", mail)
    return numbered(db, int(match[1])) if match else None


def mail(user: sqlite3.Row) -> str:
    return f"{user['id']}+{user['login']}@users.noreply.localhost"
