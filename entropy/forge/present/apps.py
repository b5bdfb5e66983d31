"""Apps, their installations and the tokens of these as JSON."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from entropy.forge.apps import client_id
from entropy.forge.present.view import View, node_id, user
from entropy.forge.records import apps, users


def app(view: View, row: sqlite3.Row) -> dict[str, Any]:
    page = view.html(f"apps/{row['slug']}")
    return {
        "id": row["id"],
        "slug": row["slug"],
        "node_id": node_id("App", row["id"]),
        "client_id": client_id(row["id"]),
        "owner": view.known_user(row["owner_id"]),
        "name": row["name"],
        "description": None,
        "external_url": page,
        "html_url": page,
        "created_at": row["created"],
        "updated_at": row["updated"],
        "permissions": apps.granted(view.db, row["id"]),
        "events": json.loads(row["events"]),
        "installations_count": len(apps.installations(view.db, row["id"])),
    }


def stand_in(view: View, person: sqlite3.Row) -> dict[str, Any]:
    """The app of somebody who is none: on GitHub only apps make check suites."""
    page = view.html(person["login"])
    return {
        "id": person["id"],
        "slug": person["login"],
        "node_id": node_id("App", person["id"]),
        "owner": user(view, person),
        "name": person["login"],
        "description": None,
        "external_url": page,
        "html_url": page,
        "created_at": person["created"],
        "updated_at": person["created"],
        "permissions": {},
        "events": [],
    }


def installation(view: View, made: sqlite3.Row, row: sqlite3.Row | Mapping[str, Any]) -> dict[str, Any]:
    """`made` is the app that `row` is an installation of."""
    account = users.known(view.db, row["account_id"])
    return {
        "id": row["id"],
        "client_id": client_id(made["id"]),
        "account": user(view, account),
        "repository_selection": "all" if row["everything"] else "selected",
        "access_tokens_url": view.api(f"/app/installations/{row['id']}/access_tokens"),
        "repositories_url": view.api("/installation/repositories"),
        "html_url": view.html(f"organizations/{account['login']}/settings/installations/{row['id']}"),
        "app_id": made["id"],
        "app_slug": made["slug"],
        "target_id": row["account_id"],
        "target_type": account["kind"],
        "permissions": json.loads(row["permissions"]),
        "events": json.loads(made["events"]),
        "created_at": row["created"],
        "updated_at": row["updated"],
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user(view, account) if row["suspended"] else None,
        "suspended_at": row["suspended"],
    }
