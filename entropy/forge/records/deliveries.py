"""The outbox: what is to be delivered to whom, and what came of it."""

import json
import secrets
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from entropy.forge.clock import now


@dataclass(frozen=True)
class Message:
    """What a hook is told."""

    event: str
    payload: Mapping[str, Any]
    repository_id: int | None = None
    installation_id: int | None = None


@dataclass(frozen=True)
class Receipt:
    """What came of a delivery."""

    status: str
    status_code: int
    duration: float = 0.0
    request_headers: Mapping[str, str] = field(default_factory=dict)
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response: str = ""


def post(db: sqlite3.Connection, hook_id: int, message: Message) -> None:
    """Put a message into the outbox; it is sent after the transaction."""
    db.execute(
        "INSERT INTO deliveries (hook_id, guid, event, action, repository_id, installation_id, payload, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            hook_id,
            str(uuid.UUID(bytes=secrets.token_bytes(16), version=4)),
            message.event,
            message.payload.get("action"),
            message.repository_id,
            message.installation_id,
            json.dumps(message.payload, ensure_ascii=False),
            now(),
        ),
    )


def again(db: sqlite3.Connection, delivery: sqlite3.Row) -> None:
    """The same message once more, under the same guid."""
    db.execute(
        "INSERT INTO deliveries (hook_id, guid, redelivery, event, action, repository_id, installation_id, payload,"
        " created) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)",
        (
            *(delivery[name] for name in ("hook_id", "guid", "event", "action", "repository_id", "installation_id")),
            delivery["payload"],
            now(),
        ),
    )


def waiting(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM deliveries WHERE status_code IS NULL ORDER BY id LIMIT 1000").fetchall()


def forget(db: sqlite3.Connection) -> None:
    """Delivered more than three days ago: GitHub keeps no more."""
    db.execute(
        "DELETE FROM deliveries WHERE status_code IS NOT NULL"
        " AND created < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-3 days')"
    )


def record(db: sqlite3.Connection, delivery_id: int, receipt: Receipt) -> None:
    db.execute(
        "UPDATE deliveries SET delivered = ?, status = ?, status_code = ?, duration = ?, request_headers = ?,"
        " response_headers = ?, response = ? WHERE id = ?",
        (
            now(),
            receipt.status,
            receipt.status_code,
            receipt.duration,
            json.dumps(dict(receipt.request_headers)),
            json.dumps(dict(receipt.response_headers)),
            receipt.response,
            delivery_id,
        ),
    )


def find(
    db: sqlite3.Connection, hook_id: int, *, before: int | None, status: str | None, limit: int
) -> list[sqlite3.Row]:
    """Newest first; `before` is the id at which the last page ended, `status` success or failure."""
    return db.execute(
        "SELECT * FROM deliveries WHERE hook_id = :hook AND status_code IS NOT NULL"
        " AND (:before IS NULL OR id < :before)"
        " AND (:status IS NULL OR (status_code BETWEEN 200 AND 399) = (:status = 'success'))"
        " ORDER BY id DESC LIMIT :limit",
        {"hook": hook_id, "before": before, "status": status, "limit": limit},
    ).fetchall()


def get(db: sqlite3.Connection, hook_id: int, delivery_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM deliveries WHERE hook_id = ? AND id = ?", (hook_id, delivery_id)
    ).fetchone()
    return row


def last(db: sqlite3.Connection, hook_id: int) -> sqlite3.Row | None:
    return next(iter(find(db, hook_id, before=None, status=None, limit=1)), None)
