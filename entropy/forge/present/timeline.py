"""Events of issues and pull requests as JSON: in lists, in the timeline, and with their item."""

import sqlite3
from typing import Any

from entropy.forge.gitrepo import Commit
from entropy.forge.present import pulls as pull_shapes
from entropy.forge.present.commits import git_commit, parent
from entropy.forge.present.issues import comment, issue
from entropy.forge.present.repositories import api_url
from entropy.forge.present.view import View, node_id
from entropy.forge.records import issues


def event(view: View, home: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    url = api_url(view, home)
    shape: dict[str, Any] = {
        "id": row["id"],
        "node_id": node_id("IssueEvent", row["id"]),
        "url": f"{url}/issues/events/{row['id']}",
        "actor": view.user(row["user_id"]),
        "event": row["event"],
        "commit_id": row["commit_sha"],
        "commit_url": f"{url}/commits/{row['commit_sha']}" if row["commit_sha"] else None,
        "created_at": row["created"],
        "performed_via_github_app": None,
    }
    return {**shape, **_particulars(view, row)}


def _particulars(view: View, row: sqlite3.Row) -> dict[str, Any]:
    actor = view.user(row["user_id"])
    match row["event"]:
        case "labeled" | "unlabeled":
            told: dict[str, Any] = {"label": {"name": row["label"], "color": row["color"] or "ededed"}}
        case "assigned" | "unassigned":
            told = {"assignee": view.user(row["assignee_id"]), "assigner": actor}
        case "review_requested" | "review_request_removed":
            told = {"requested_reviewer": view.user(row["reviewer_id"]), "review_requester": actor}
        case "renamed":
            told = {"rename": {"from": row["was"], "to": row["title"]}}
        case "locked" | "unlocked":
            told = {"lock_reason": row["reason"]}
        case "review_dismissed":
            dismissed = {"state": "dismissed", "review_id": row["review_id"], "dismissal_message": None}
            told = {"dismissed_review": dismissed}
        case "closed":
            told = {"state_reason": row["reason"]}
        case _:
            told = {}
    return told


def placed_event(view: View, home: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    """With the item that it happened to."""
    return {**event(view, home, row), "issue": issue(view, issues.numbered(view.db, row["issue_id"]))}


def commented(view: View, home: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    shape = comment(view, home, row)
    return {**shape, "event": "commented", "actor": shape["user"]}


def reviewed(view: View, pull: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    shape = pull_shapes.review(view, pull, row)
    return {**shape, "event": "reviewed", "state": row["state"].lower(), "actor": shape["user"]}


def committed(view: View, home: sqlite3.Row, row: Commit) -> dict[str, Any]:
    url = api_url(view, home)
    shape = git_commit(url, row)
    del shape["comment_count"]
    return {
        **shape,
        "sha": row.sha,
        "node_id": node_id("Commit", row.sha),
        "html_url": view.html(f"{home['full_name']}/commit/{row.sha}"),
        "parents": [parent(view, home, sha) for sha in row.parents],
        "event": "committed",
    }
