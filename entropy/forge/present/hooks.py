"""Webhooks and their deliveries as JSON."""

import json
import sqlite3
from typing import Any

from entropy.forge.present.repositories import api_url
from entropy.forge.present.view import View
from entropy.forge.records import deliveries, hooks


def config(row: sqlite3.Row) -> dict[str, Any]:
    """A secret is never told, only that there is one."""
    told = {"url": row["url"], "content_type": row["content_type"], "insecure_ssl": row["insecure_ssl"]}
    return {**told, "secret": "********"} if row["secret"] else told


def hook(view: View, home: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    url = f"{api_url(view, home)}/hooks/{row['id']}"
    last = deliveries.last(view.db, row["id"])
    reply = {"code": None, "status": "unused", "message": None}
    if last:
        well = 200 <= last["status_code"] < 400
        reply = {"code": last["status_code"], "status": "active" if well else "failed", "message": last["status"]}
    return {
        "type": "Repository",
        "id": row["id"],
        "name": "web",
        "active": bool(row["active"]),
        "events": json.loads(row["events"]),
        "config": config(row),
        "created_at": row["created"],
        "updated_at": row["updated"],
        "url": url,
        "test_url": f"{url}/test",
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
        "last_response": reply,
    }


def pinged(view: View, row: sqlite3.Row) -> dict[str, Any]:
    """As a hook is told of itself."""
    home = view.home(row["repository_id"]) if row["repository_id"] else None
    told: dict[str, Any] = {
        "id": row["id"],
        "name": "web",
        "type": "Repository" if home else "App",
        "active": bool(row["active"]),
        "events": json.loads(row["events"]),
        "config": config(row),
        "created_at": row["created"],
        "updated_at": row["updated"],
    }
    return {**told, **({} if home else {"app_id": row["app_id"]})}


def delivery_item(row: sqlite3.Row) -> dict[str, Any]:
    copied = ("id", "guid", "duration", "status", "status_code", "event", "action", "installation_id", "repository_id")
    told = {name: row[name] for name in copied}
    return {**told, "delivered_at": row["delivered"], "redelivery": bool(row["redelivery"]), "throttled_at": None}


def delivery(view: View, row: sqlite3.Row) -> dict[str, Any]:
    told = hooks.numbered(view.db, row["hook_id"])
    return {
        **delivery_item(row),
        "url": told["url"] if told else "",
        "request": {"headers": json.loads(row["request_headers"] or "{}"), "payload": json.loads(row["payload"])},
        "response": {"headers": json.loads(row["response_headers"] or "{}"), "payload": row["response"]},
    }
