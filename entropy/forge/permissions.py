"""Who somebody is, and what they may do in a repository."""

import base64
import binascii
import hashlib
import secrets
import sqlite3
from enum import IntEnum

from entropy.forge.refusals import bad_credentials


class Level(IntEnum):
    """GitHub's repository roles, weakest first."""

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5

    @property
    def word(self) -> str:
        return self.name.lower()


def new_token(prefix: str = "ghp_") -> str:
    """A token in GitHub's classic form; only its hash is stored."""
    return f"{prefix}{secrets.token_hex(18)}"


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def authenticate(db: sqlite3.Connection, header: str | None) -> sqlite3.Row | None:
    """The person behind an Authorization header; None without one; raises 401 for a wrong one."""
    if not header:
        return None
    return of_token(db, presented(header))


def of_token(db: sqlite3.Connection, token: str) -> sqlite3.Row:
    """The person whose token this is; raises 401 where it is nobody's."""
    row = db.execute(
        "SELECT users.* FROM tokens JOIN users ON users.id = tokens.user_id WHERE hash = ?", (token_hash(token),)
    ).fetchone()
    if row is None:
        raise bad_credentials()
    user: sqlite3.Row = row
    return user


def presented(header: str) -> str:
    """The token in ``Bearer``, ``token`` or ``Basic`` credentials; the last may carry it as name or password."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return value.strip()
    try:
        login, _, password = base64.b64decode(value, validate=True).decode("utf-8", "replace").partition(":")
    except binascii.Error:
        raise bad_credentials() from None
    return login if password in {"", "x-oauth-basic"} else password


def granted(db: sqlite3.Connection, repository: sqlite3.Row, user: sqlite3.Row) -> Level:
    """What `user` was given in person, as owner or as collaborator."""
    if repository["owner_id"] == user["id"]:
        return Level.ADMIN
    row = db.execute(
        "SELECT permission FROM collaborators WHERE repository_id = ? AND user_id = ?", (repository["id"], user["id"])
    ).fetchone()
    return Level[row["permission"].upper()] if row else Level.NONE


def level(db: sqlite3.Connection, repository: sqlite3.Row, user: sqlite3.Row | None) -> Level:
    """What `user` may do; everybody may read what is public."""
    public = Level.NONE if repository["private"] else Level.READ
    return max(public, granted(db, repository, user)) if user else public


def association(db: sqlite3.Connection, repository: sqlite3.Row, user: sqlite3.Row) -> str:
    """GitHub's author_association."""
    if repository["owner_id"] == user["id"]:
        return "OWNER"
    if granted(db, repository, user):
        return "COLLABORATOR"
    merged = db.execute(
        "SELECT 1 FROM items WHERE repository_id = ? AND user_id = ? AND merged IS NOT NULL LIMIT 1",
        (repository["id"], user["id"]),
    ).fetchone()
    return "CONTRIBUTOR" if merged else "NONE"
