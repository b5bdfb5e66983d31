"""Webhooks of a repository and of an App: set, looked at, and their deliveries repeated."""

import re
import sqlite3
from typing import Any
from urllib.parse import urlencode

from entropy.forge.bodies import Body
from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.outbox import ping
from entropy.forge.permissions import Level
from entropy.forge.present import hooks as shapes
from entropy.forge.records import deliveries, hooks
from entropy.forge.refusals import Refusal, invalid, not_found, refused
from entropy.forge.routes.repositories import HOME

HOOKS = f"{HOME}/hooks"
HOOK = f"{HOOKS}/{{hook}}"
MOST = 20
"""Hooks of one repository."""
_FRESH: dict[str, Any] = {"active": True, "events": ["push"], "content_type": "form", "secret": None}


def _shown(call: Call, row: sqlite3.Row, status: int = 200) -> Reply:
    return Reply(status, shapes.hook(call.view, call.repository, row))


def find(call: Call) -> Reply:
    rows = hooks.find(call.db, call.repository_id)
    chosen = rows[call.page.offset : call.page.offset + call.page.size]
    return call.listing([shapes.hook(call.view, call.repository, row) for row in chosen], len(rows))


def _hook(call: Call) -> sqlite3.Row:
    row = hooks.get(call.db, call.repository_id, call.number("hook"))
    if row is None:
        raise not_found()
    return row


def get(call: Call) -> Reply:
    return _shown(call, _hook(call))


def create(call: Call) -> Reply:
    body = call.body.of("Hook")
    told = _values(body, {**_FRESH, "insecure_ssl": "0", "url": ""})
    known = hooks.find(call.db, call.repository_id)
    if any(row["url"] == told["url"] for row in known):
        raise refused("Hook", "Hook already exists on this repository")
    if len(known) >= MOST:
        raise refused("Hook", f"The repository already has {MOST} hooks")
    row = hooks.create(call.db, (call.repository_id, None), told, origin=call.origin)
    ping(call.db, call.view, row, call.my_id)
    return _shown(call, row, 201)


def _values(body: Body, values: dict[str, Any]) -> dict[str, Any]:
    """`values` with what the body says laid over them."""
    told: dict[str, Any] = {"active": body.flag("active")} if body.has("active") else {}
    if body.has("events"):
        told["events"] = body.texts("events")
    merged = {**values, **told}
    if body.has("config"):
        merged |= _config(Body(body.value["config"], "Hook"), merged)
    if not re.match(r"https?://[^/\s]+", merged["url"]):
        raise invalid("Hook", "url")
    return merged


def _config(part: Body, values: dict[str, Any]) -> dict[str, Any]:
    insecure = part.fields.get("insecure_ssl", values["insecure_ssl"])
    return {
        "url": part.text("url") or values["url"],
        "secret": part.text("secret") if part.has("secret") else values["secret"],
        "content_type": part.choice("content_type", ("json", "form"), values["content_type"]),
        "insecure_ssl": "1" if insecure in {1, "1"} else "0",
    }


def edit(call: Call) -> Reply:
    row, body = _hook(call), call.body.of("Hook")
    values = _values(body, hooks.values(row))
    added, removed = body.texts("add_events"), set(body.texts("remove_events"))
    values["events"] = [name for name in dict.fromkeys([*values["events"], *added]) if name not in removed]
    return _shown(call, hooks.edit(call.db, row, values))


def delete(call: Call) -> Reply:
    hooks.delete(call.db, _hook(call)["id"])
    return Reply(204)


def pings(call: Call) -> Reply:
    ping(call.db, call.view, _hook(call), call.my_id)
    return Reply(204)


def config(call: Call) -> Reply:
    return Reply(data=shapes.config(_hook(call)))


def edit_config(call: Call) -> Reply:
    row = _hook(call)
    values = hooks.values(row)
    return Reply(data=shapes.config(hooks.edit(call.db, row, values | _config(call.body.of("Hook"), values))))


# -- of an App -----------------------------------------------------------------------------------------------------


def _app_hook(call: Call) -> sqlite3.Row:
    row = hooks.of_app(call.db, call.app["id"])
    if row is None:
        raise not_found()
    return row


def app_config(call: Call) -> Reply:
    row = hooks.of_app(call.db, call.app["id"])
    return Reply(data=shapes.config(row) if row else {})


def edit_app_config(call: Call) -> Reply:
    """An App hears of all that it has permission for."""
    row, body = hooks.of_app(call.db, call.app["id"]), call.body.of("Hook")
    fresh: dict[str, Any] = {**_FRESH, "content_type": "json", "events": ["*"], "insecure_ssl": "0", "url": ""}
    values = hooks.values(row) if row else fresh
    values |= _config(body, values)
    if not re.match(r"https?://[^/\s]+", values["url"]):
        raise invalid("Hook", "url")
    if row:
        return Reply(data=shapes.config(hooks.edit(call.db, row, values)))
    return Reply(data=shapes.config(hooks.create(call.db, (None, call.app["id"]), values, origin=call.origin)))


# -- deliveries ----------------------------------------------------------------------------------------------------


def _listed(call: Call, row: sqlite3.Row) -> Reply:
    cursor, size = call.query.get("cursor", ""), call.page.size
    if cursor and not re.fullmatch(r"v1_\d{1,15}", cursor):
        raise Refusal(400, "Invalid cursor")
    before = int(cursor.removeprefix("v1_")) if cursor else None
    status = call.chosen("status", ("success", "failure"), "success") if call.query.get("status") else None
    found = deliveries.find(call.db, row["id"], before=before, status=status, limit=size + 1)
    headers = {}
    if len(found) > size:
        query = urlencode({**call.query, "cursor": f"v1_{found[size - 1]['id']}"})
        headers = {"Link": f'<{call.origin}{call.path}?{query}>; rel="next"'}
    return Reply(data=[shapes.delivery_item(each) for each in found[:size]], headers=headers)


def _delivery(call: Call, row: sqlite3.Row) -> sqlite3.Row:
    found = deliveries.get(call.db, row["id"], call.number("delivery"))
    if found is None or found["status_code"] is None:
        raise not_found()
    return found


def _again(call: Call, row: sqlite3.Row) -> Reply:
    deliveries.again(call.db, _delivery(call, row))
    return Reply(202, {})


DELIVERIES, APP_DELIVERIES = f"{HOOK}/deliveries", "/app/hook/deliveries"
TABLE = (
    Endpoint("GET", HOOKS, find, Level.ADMIN),
    Endpoint("POST", HOOKS, create, Level.ADMIN),
    Endpoint("GET", HOOK, get, Level.ADMIN),
    Endpoint("PATCH", HOOK, edit, Level.ADMIN),
    Endpoint("DELETE", HOOK, delete, Level.ADMIN),
    Endpoint("POST", f"{HOOK}/pings", pings, Level.ADMIN),
    Endpoint("GET", f"{HOOK}/config", config, Level.ADMIN),
    Endpoint("PATCH", f"{HOOK}/config", edit_config, Level.ADMIN),
    Endpoint("GET", DELIVERIES, lambda call: _listed(call, _hook(call)), Level.ADMIN),
    Endpoint(
        "GET",
        f"{DELIVERIES}/{{delivery}}",
        lambda call: Reply(data=shapes.delivery(call.view, _delivery(call, _hook(call)))),
        Level.ADMIN,
    ),
    Endpoint("POST", f"{DELIVERIES}/{{delivery}}/attempts", lambda call: _again(call, _hook(call)), Level.ADMIN),
    Endpoint("GET", "/app/hook/config", app_config),
    Endpoint("PATCH", "/app/hook/config", edit_app_config),
    Endpoint("GET", APP_DELIVERIES, lambda call: _listed(call, _app_hook(call))),
    Endpoint(
        "GET",
        f"{APP_DELIVERIES}/{{delivery}}",
        lambda call: Reply(data=shapes.delivery(call.view, _delivery(call, _app_hook(call)))),
    ),
    Endpoint("POST", f"{APP_DELIVERIES}/{{delivery}}/attempts", lambda call: _again(call, _app_hook(call))),
)
