"""Repositories, labels and permissions as JSON."""

import sqlite3
from typing import Any
from urllib.parse import quote

from entropy.forge.permissions import Level
from entropy.forge.present.view import View, node_id, user
from entropy.forge.records import repositories

_PLAIN = (
    "contributors", "deployments", "downloads", "events", "forks", "hooks", "languages", "merges", "stargazers",
    "subscribers", "subscription", "tags", "teams",
)  # fmt: skip
_TEMPLATES = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "statuses_url": "/statuses/{sha}",
    "trees_url": "/git/trees{/sha}",
}


def api_url(view: View, row: sqlite3.Row) -> str:
    return view.api(f"/repos/{row['full_name']}")


def minimal(view: View, row: sqlite3.Row) -> dict[str, Any]:
    url = api_url(view, row)
    return {
        "id": row["id"],
        "node_id": node_id("Repository", row["id"]),
        "name": row["name"],
        "full_name": row["full_name"],
        "private": bool(row["private"]),
        "owner": view.known_user(row["owner_id"]),
        "html_url": view.html(row["full_name"]),
        "description": row["description"],
        "fork": False,
        "url": url,
        **{f"{name}_url": f"{url}/{name}" for name in _PLAIN},
        **{name: f"{url}{template}" for name, template in _TEMPLATES.items()},
    }


def full(view: View, row: sqlite3.Row, level: Level = Level.READ) -> dict[str, Any]:
    clone = f"{view.html(row['full_name'])}.git"
    waiting = repositories.open_issues(view.db, row["id"])
    zero = ("forks", "forks_count", "size", "stargazers_count", "watchers", "watchers_count", "network_count")
    features = ("has_projects", "has_wiki", "has_pages", "has_discussions", "has_downloads", "disabled")
    return {
        **minimal(view, row),
        "clone_url": clone,
        "git_url": clone,
        "ssh_url": clone,
        "svn_url": view.html(row["full_name"]),
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "default_branch": row["default_branch"],
        "open_issues": waiting,
        "open_issues_count": waiting,
        "subscribers_count": 0,
        **dict.fromkeys(zero, 0),
        "has_issues": True,
        "topics": [],
        **dict.fromkeys(features, False),
        "archived": bool(row["archived"]),
        "visibility": "private" if row["private"] else "public",
        "allow_merge_commit": True,
        "allow_squash_merge": True,
        "allow_rebase_merge": False,
        "permissions": permissions(level),
        "created_at": row["created"],
        "updated_at": row["updated"],
        "pushed_at": row["updated"],
    }


def permissions(level: Level) -> dict[str, bool]:
    steps = {"pull": Level.READ, "triage": Level.TRIAGE, "push": Level.WRITE, "maintain": Level.MAINTAIN}
    return {name: level >= step for name, step in {**steps, "admin": Level.ADMIN}.items()}


def collaborator(view: View, row: sqlite3.Row, level: Level) -> dict[str, Any]:
    return {**user(view, row), "permissions": permissions(level), "role_name": level.word}


def permission(view: View, row: sqlite3.Row, level: Level) -> dict[str, Any]:
    """GitHub folds triage into read and maintain into write; ``role_name`` keeps them apart."""
    folded = {Level.TRIAGE: Level.READ, Level.MAINTAIN: Level.WRITE}.get(level, level)
    return {"permission": folded.word, "role_name": level.word, "user": collaborator(view, row, level)}


def label(view: View, home: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "node_id": node_id("Label", row["id"]),
        "url": f"{api_url(view, home)}/labels/{_quoted(row['name'])}",
        "name": row["name"],
        "color": row["color"],
        "default": False,
        "description": row["description"],
    }


def _quoted(name: str) -> str:
    return quote(name, safe="")
