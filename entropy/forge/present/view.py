"""What every JSON shape needs: the record, and the address under which the client sees the forge."""

import base64
import sqlite3
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from entropy.forge.records import repositories, users


@dataclass(frozen=True)
class View:
    db: sqlite3.Connection
    origin: str

    def api(self, path: str) -> str:
        return f"{self.origin}/api/v3{quote(path, safe='/{}+.:=&?~')}"

    def html(self, path: str) -> str:
        return f"{self.origin}/{quote(path, safe='/#.~')}"

    def home(self, repository_id: int) -> sqlite3.Row:
        return repositories.numbered(self.db, repository_id)

    def user(self, user_id: int | None) -> dict[str, Any] | None:
        row = users.numbered(self.db, user_id)
        return user(self, row) if row else None


def node_id(kind: str, number: int | str) -> str:
    return base64.b64encode(f"{len(kind):03}:{kind}{number}".encode()).decode()


def user(view: View, row: sqlite3.Row) -> dict[str, Any]:
    api = view.api(f"/users/{row['login']}")
    return {
        "login": row["login"],
        "id": row["id"],
        "node_id": node_id(row["kind"], row["id"]),
        "avatar_url": view.html(f"avatars/{row['id']}"),
        "gravatar_id": "",
        "url": api,
        "html_url": view.html(row["login"]),
        "followers_url": f"{api}/followers",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{api}/subscriptions",
        "organizations_url": f"{api}/orgs",
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events{{/privacy}}",
        "received_events_url": f"{api}/received_events",
        "type": "Bot" if row["login"].endswith("[bot]") else row["kind"],
        "site_admin": False,
    }


def account(view: View, row: sqlite3.Row) -> dict[str, Any]:
    """A user as /users/{login} shows it."""
    owned = view.db.execute("SELECT count(*) FROM repositories WHERE owner_id = ?", (row["id"],)).fetchone()[0]
    unknown = ("bio", "blog", "company", "email", "hireable", "location", "twitter_username")
    return {
        **user(view, row),
        **dict.fromkeys(unknown),
        "name": row["name"],
        "followers": 0,
        "following": 0,
        "public_gists": 0,
        "public_repos": owned,
        "created_at": row["created"],
        "updated_at": row["created"],
    }


def own_account(view: View, row: sqlite3.Row) -> dict[str, Any]:
    """A user as /user shows it to itself."""
    counts = ("collaborators", "disk_usage", "owned_private_repos", "private_gists", "total_private_repos")
    return {**account(view, row), **dict.fromkeys(counts, 0), "two_factor_authentication": False}
