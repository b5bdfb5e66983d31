"""Issues, comments and events as JSON."""

import sqlite3
from typing import Any

from entropy.forge.permissions import association
from entropy.forge.present.reactions import rollup
from entropy.forge.present.repositories import api_url, label
from entropy.forge.present.view import View, node_id, user
from entropy.forge.records import comments, issues, locks, users


def html_url(view: View, home: sqlite3.Row, row: sqlite3.Row) -> str:
    return view.html(f"{home['full_name']}/{'pull' if row['is_pull'] else 'issues'}/{row['number']}")


def shared(view: View, row: sqlite3.Row) -> dict[str, Any]:
    """What issues and pull requests have in common."""
    home = view.home(row["repository_id"])
    author = users.known(view.db, row["user_id"])
    lock = locks.of(view.db, row["id"])
    assigned = [user(view, person) for person in issues.assignees(view.db, row["id"])]
    return {
        "number": row["number"],
        "html_url": html_url(view, home, row),
        "comments_url": f"{api_url(view, home)}/issues/{row['number']}/comments",
        "state": row["state"],
        "title": row["title"],
        "body": row["body"],
        "user": view.known_user(row["user_id"]),
        "author_association": association(view.db, home, author),
        "labels": [label(view, home, entry) for entry in issues.labels(view.db, row["id"])],
        "assignee": assigned[0] if assigned else None,
        "assignees": assigned,
        "milestone": None,
        "locked": lock is not None,
        "active_lock_reason": lock["reason"] if lock else None,
        "created_at": row["created"],
        "updated_at": row["updated"],
        "closed_at": row["closed"],
    }


def issue(view: View, row: sqlite3.Row) -> dict[str, Any]:
    home = view.home(row["repository_id"])
    url = f"{api_url(view, home)}/issues/{row['number']}"
    shape = {
        **shared(view, row),
        "id": row["id"],
        "node_id": node_id("Issue", row["id"]),
        "url": url,
        "repository_url": api_url(view, home),
        "labels_url": f"{url}/labels{{/name}}",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "comments": comments.count(view.db, row["id"]),
        "closed_by": view.user(row["closed_by"]),
        "state_reason": row["state_reason"],
        "reactions": rollup(view, ("issue", row["id"]), url),
        "draft": bool(row["draft"]),
    }
    return {**shape, "pull_request": _pull_part(view, home, row)} if row["is_pull"] else shape


def _pull_part(view: View, home: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    page = html_url(view, home, row)
    return {
        "url": f"{api_url(view, home)}/pulls/{row['number']}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "merged_at": row["merged"],
    }


def comment(view: View, home: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    author = users.known(view.db, row["user_id"])
    url = api_url(view, home)
    here = f"{url}/issues/comments/{row['id']}"
    return {
        "id": row["id"],
        "node_id": node_id("IssueComment", row["id"]),
        "url": here,
        "html_url": view.html(f"{home['full_name']}/issues/{row['number']}#issuecomment-{row['id']}"),
        "issue_url": f"{url}/issues/{row['number']}",
        "body": row["body"],
        "user": view.known_user(row["user_id"]),
        "author_association": association(view.db, home, author),
        "performed_via_github_app": None,
        "created_at": row["created"],
        "updated_at": row["updated"],
        "reactions": rollup(view, ("comment", row["id"]), here),
    }
