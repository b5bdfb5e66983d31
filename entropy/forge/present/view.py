"""What every JSON shape needs: the record, and the address under which the client sees the forge."""

import base64
import sqlite3
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from entropy.forge.records import repositories, users


@dataclass(frozen=True)
class View:
    """Lives as long as one request, and asks for the same repository or person once."""

    db: sqlite3.Connection
    origin: str
    _homes: dict[int, sqlite3.Row] = field(default_factory=dict)
    _people: dict[int, dict[str, Any]] = field(default_factory=dict)

    def api(self, path: str) -> str:
        return f"{self.origin}/api/v3{quote(path, safe='/{}+.:=&?~')}"

    def html(self, path: str) -> str:
        return f"{self.origin}/{quote(path, safe='/#.~')}"

    def home(self, repository_id: int) -> sqlite3.Row:
        if repository_id not in self._homes:
            self._homes[repository_id] = repositories.numbered(self.db, repository_id)
        return self._homes[repository_id]

    def user(self, user_id: int | None) -> dict[str, Any] | None:
        return self.known_user(user_id) if user_id else None

    def known_user(self, user_id: int) -> dict[str, Any]:
        """The user of a foreign key."""
        if user_id not in self._people:
            self._people[user_id] = user(self, users.known(self.db, user_id))
        return self._people[user_id]


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
    owned = view.db.execute(
        "SELECT count(*) FROM repositories WHERE owner_id = ? AND deleted IS NULL", (row["id"],)
    ).fetchone()[0]
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
