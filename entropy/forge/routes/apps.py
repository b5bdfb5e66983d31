"""An app about itself and its installations, by its JWT; what everybody may know of it."""

import json
import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

from entropy.forge.bodies import Body
from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.clock import FORMAT, now
from entropy.forge.identity import PREFIX, STEPS
from entropy.forge.permissions import new_token
from entropy.forge.present import apps as shapes
from entropy.forge.present.repositories import full
from entropy.forge.records import apps, repositories, users
from entropy.forge.refusals import Refusal, invalid, not_found
from entropy.forge.routes.repositories import HOME

INSTALLATION = "/app/installations/{installation}"
_NOT_GRANTED = "The permissions requested are not granted to this installation."
_NOT_REACHED = "There is at least one repository that does not exist or is not accessible to the parent installation."


def me(call: Call) -> Reply:
    return Reply(data=shapes.app(call.view, call.app))


def public(call: Call) -> Reply:
    row = apps.named(call.db, call.params["slug"])
    if row is None:
        raise not_found()
    return Reply(data=shapes.app(call.view, row))


def find(call: Call) -> Reply:
    rows = apps.installations(call.db, call.app["id"])
    chosen = rows[call.page.offset : call.page.offset + call.page.size]
    return call.listing([shapes.installation(call.view, call.app, row) for row in chosen], len(rows))


def _installation(call: Call) -> sqlite3.Row:
    row = apps.installation(call.db, call.number("installation"))
    if row is None or row["app_id"] != call.app["id"]:
        raise not_found()
    return row


def get(call: Call) -> Reply:
    return Reply(data=shapes.installation(call.view, call.app, _installation(call)))


def delete(call: Call) -> Reply:
    apps.uninstall(call.db, _installation(call)["id"])
    return Reply(204)


def suspend(call: Call) -> Reply:
    apps.suspend(call.db, _installation(call)["id"], now())
    return Reply(204)


def resume(call: Call) -> Reply:
    apps.suspend(call.db, _installation(call)["id"], None)
    return Reply(204)


def of_repository(call: Call) -> Reply:
    row = apps.installed_on(call.db, call.app["id"], call.repository["owner_id"])
    if row is None or not apps.reaches(call.db, row, call.repository):
        raise not_found()
    return Reply(data=shapes.installation(call.view, call.app, row))


def of_account(call: Call) -> Reply:
    account = users.named(call.db, call.params["account"])
    row = apps.installed_on(call.db, call.app["id"], account["id"]) if account else None
    if row is None:
        raise not_found()
    return Reply(data=shapes.installation(call.view, call.app, row))


def create_token(call: Call) -> Reply:
    """A token for the installation, for as much of what it may do and as many of its repositories as are asked for."""
    row, body = _installation(call), call.body.of("IntegrationInstallation")
    if row["suspended"]:
        raise Refusal(403, "This installation has been suspended")
    permissions = _permissions(body, json.loads(row["permissions"]))
    chosen = _repositories(call, row, body)
    token, expires = new_token(PREFIX), time.time() + call.store.token_seconds
    apps.give_token(call.db, row["id"], token, permissions=permissions, repositories=chosen, expires=expires)
    told: dict[str, Any] = {
        "token": token,
        "expires_at": datetime.fromtimestamp(expires, UTC).strftime(FORMAT),
        "permissions": permissions,
        "repository_selection": "all" if chosen is None and row["everything"] else "selected",
    }
    if chosen is not None:
        told["repositories"] = [full(call.view, repositories.numbered(call.db, each)) for each in chosen]
    return Reply(201, told)


def _permissions(body: Body, given: dict[str, str]) -> dict[str, str]:
    """Nothing asked for means everything that the installation was given."""
    wanted = body.fields.get("permissions")
    if wanted is None or wanted == {}:
        return given
    if not isinstance(wanted, dict) or not all(level in STEPS[1:] for level in wanted.values()):
        raise invalid("IntegrationInstallation", "permissions")
    if any(STEPS.index(level) > STEPS.index(given.get(name, "")) for name, level in wanted.items()):
        raise Refusal(422, _NOT_GRANTED)
    return {"metadata": "read", **wanted}


def _repositories(call: Call, row: sqlite3.Row, body: Body) -> list[int] | None:
    """Ids; None for all that the installation reaches."""
    ids, names = body.fields.get("repository_ids") or [], body.texts("repositories", limit=100)
    if not isinstance(ids, list) or len(ids) > 500 or not all(type(each) is int and each < 2**53 for each in ids):
        raise invalid("IntegrationInstallation", "repository_ids")
    if not ids and not names:
        return None
    owner = users.known(call.db, row["account_id"])["login"]
    found = [repositories.alive(call.db, each) for each in ids]
    found += [repositories.named(call.db, f"{owner}/{name}") for name in names]
    homes = [home for home in found if home and apps.reaches(call.db, row, home)]
    if len(homes) < len(found):
        raise Refusal(422, _NOT_REACHED)
    return sorted({home["id"] for home in homes})


TABLE = (
    Endpoint("GET", "/app", me),
    Endpoint("GET", "/apps/{slug}", public),
    Endpoint("GET", "/app/installations", find),
    Endpoint("GET", INSTALLATION, get),
    Endpoint("DELETE", INSTALLATION, delete),
    Endpoint("PUT", f"{INSTALLATION}/suspended", suspend),
    Endpoint("DELETE", f"{INSTALLATION}/suspended", resume),
    Endpoint("POST", f"{INSTALLATION}/access_tokens", create_token),
    Endpoint("GET", f"{HOME}/installation", of_repository),
    Endpoint("GET", "/users/{account}/installation", of_account),
    Endpoint("GET", "/orgs/{account}/installation", of_account),
)
