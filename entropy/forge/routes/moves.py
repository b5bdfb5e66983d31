"""What becomes of a repository: another name, another owner, an archive, nothing."""

import sqlite3

from entropy.forge.bodies import Body
from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.names import is_login, is_repository
from entropy.forge.permissions import Level
from entropy.forge.present import repositories as shapes
from entropy.forge.records import moves, repositories, users
from entropy.forge.refusals import Refusal, invalid
from entropy.forge.routes.repositories import HOME


def edit(call: Call) -> Reply:
    home, body = call.repository, call.body.of("Repository")
    if home["archived"] and not (body.has("archived") and not body.flag("archived")):
        raise Refusal(403, "Repository was archived so is read-only.")
    name = body.text("name")
    if name is not None and name != home["name"]:
        moves.rename(call.db, home, _free(call, home["owner"], name))
    if body.has("archived"):
        moves.archive(call.db, home, archived=body.flag("archived"))
    _describe(call, body)
    return Reply(data=shapes.full(call.view, repositories.numbered(call.db, home["id"]), call.level))


def _describe(call: Call, body: Body) -> None:
    visibility = body.choice("visibility", ("public", "private"), "")
    if body.has("private") or visibility:
        private = visibility == "private" if visibility else body.flag("private")
        repositories.set_private(call.db, call.repository_id, private=private)
    if body.has("description"):
        text = body.text("description", limit=350)
        call.db.execute("UPDATE repositories SET description = ? WHERE id = ?", (text, call.repository_id))
    branch = body.text("default_branch")
    if branch is not None:
        if call.git.branch(branch) is None:
            raise invalid("Repository", "default_branch")
        call.db.execute("UPDATE repositories SET default_branch = ? WHERE id = ?", (branch, call.repository_id))
        call.git.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")


def _free(call: Call, owner: str, name: str) -> str:
    """`name`, if it may be given to this repository."""
    other = repositories.named(call.db, f"{owner}/{name}") if is_repository(name) else None
    if not is_repository(name):
        raise invalid("Repository", "name")
    if other and other["id"] != call.repository_id:
        raise invalid("Repository", "name", "already_exists")
    return name


def transfer(call: Call) -> Reply:
    body, home = call.body.of("Repository"), call.repository
    owner = _owner(call, body.required("new_owner"))
    name = _free(call, owner["login"], body.text("new_name") or home["name"])
    moves.transfer(call.db, home, owner["login"], name)
    return Reply(202, shapes.minimal(call.view, repositories.numbered(call.db, home["id"])))


def _owner(call: Call, login: str) -> sqlite3.Row:
    row = users.named(call.db, login) if is_login(login) else None
    if row is None or row["login"].endswith("[bot]"):
        raise invalid("Repository", "new_owner")
    return row


def delete(call: Call) -> Reply:
    moves.delete(call.db, call.repository)
    return Reply(204)


TABLE = (
    Endpoint("PATCH", HOME, edit, Level.ADMIN),
    Endpoint("DELETE", HOME, delete, Level.ADMIN),
    Endpoint("POST", f"{HOME}/transfer", transfer, Level.ADMIN),
)
