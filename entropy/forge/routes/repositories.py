"""A repository, its labels and its collaborators."""

import re
import sqlite3

from entropy.forge import scopes
from entropy.forge.bodies import Body
from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.permissions import Level, level
from entropy.forge.present import repositories as shapes
from entropy.forge.records import activity, repositories, users
from entropy.forge.refusals import invalid, not_found

HOME = scopes.HOME


def get(call: Call) -> Reply:
    return Reply(data=shapes.full(call.view, call.repository, call.level))


def collaborators(call: Call) -> Reply:
    rows = call.db.execute(
        "SELECT users.*, permission, count(*) OVER () AS total FROM collaborators JOIN users ON users.id = user_id"
        " WHERE repository_id = ? ORDER BY users.id LIMIT ? OFFSET ?",
        (call.repository_id, call.page.size, call.page.offset),
    ).fetchall()
    shown = [shapes.collaborator(call.view, row, Level[row["permission"].upper()]) for row in rows]
    return call.listing(shown, rows[0]["total"] if rows else 0)


def permission(call: Call) -> Reply:
    user = users.named(call.db, call.params["username"])
    if user is None:
        raise not_found()
    return Reply(data=shapes.permission(call.view, user, level(call.db, call.repository, user)))


def labels(call: Call) -> Reply:
    rows = repositories.labels(call.db, call.repository_id)
    chosen = rows[call.page.offset : call.page.offset + call.page.size]
    return call.listing([shapes.label(call.view, call.repository, row) for row in chosen], len(rows))


def _label(call: Call) -> sqlite3.Row:
    row = repositories.label(call.db, call.repository_id, call.params["name"])
    if row is None:
        raise not_found()
    return row


def label(call: Call) -> Reply:
    return Reply(data=shapes.label(call.view, call.repository, _label(call)))


def create_label(call: Call) -> Reply:
    body = call.body.of("Label")
    name, color, description = body.required("name", limit=50), _color(body), body.text("description", limit=100)
    if repositories.label(call.db, call.repository_id, name):
        raise invalid("Label", "name", "already_exists")
    row = repositories.create_label(call.db, call.repository_id, name, color=color or "ededed", description=description)
    _tell(call, "created", row)
    return Reply(201, shapes.label(call.view, call.repository, row))


def _tell(call: Call, action: str, row: sqlite3.Row, **detail: object) -> None:
    told = {"label": dict(row), **detail}
    activity.tell(call.db, (call.repository_id, None), call.my_id, f"label.{action}", detail=told)


def edit_label(call: Call) -> Reply:
    row, body = _label(call), call.body.of("Label")
    name = body.text("new_name", limit=50) or row["name"]
    other = repositories.label(call.db, call.repository_id, name)
    if other and other["id"] != row["id"]:
        raise invalid("Label", "name", "already_exists")
    call.db.execute(
        "UPDATE labels SET name = ?, color = coalesce(?, color), description = coalesce(?, description) WHERE id = ?",
        (name, _color(body), body.text("description", limit=100), row["id"]),
    )
    changed = repositories.create_label(call.db, call.repository_id, name)
    former = {
        fact: {"from": row[fact] or ""} for fact in ("name", "color", "description") if row[fact] != changed[fact]
    }
    _tell(call, "edited", changed, changes=former)
    return Reply(data=shapes.label(call.view, call.repository, changed))


def delete_label(call: Call) -> Reply:
    row = _label(call)
    call.db.execute("DELETE FROM issue_labels WHERE label_id = ?", (row["id"],))
    call.db.execute("DELETE FROM labels WHERE id = ?", (row["id"],))
    _tell(call, "deleted", row)
    return Reply(204)


def _color(body: Body) -> str | None:
    color = body.text("color")
    if color is not None and not re.fullmatch(r"[0-9a-fA-F]{6}", color):
        raise invalid("Label", "color")
    return color


TABLE = (
    Endpoint("GET", HOME, get),
    Endpoint("GET", f"{HOME}/collaborators", collaborators, Level.WRITE),
    Endpoint("GET", f"{HOME}/collaborators/{{username}}/permission", permission),
    Endpoint("GET", f"{HOME}/labels", labels),
    Endpoint("POST", f"{HOME}/labels", create_label, Level.WRITE),
    Endpoint("GET", f"{HOME}/labels/{{name:path}}", label),
    Endpoint("PATCH", f"{HOME}/labels/{{name:path}}", edit_label, Level.WRITE),
    Endpoint("DELETE", f"{HOME}/labels/{{name:path}}", delete_label, Level.WRITE),
)
