"""Pull requests, reviews and review comments as JSON."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from entropy.forge.permissions import association
from entropy.forge.present.issues import html_url, shared
from entropy.forge.present.reactions import rollup
from entropy.forge.present.repositories import api_url, full
from entropy.forge.present.view import View, node_id, user
from entropy.forge.protection import obstacles, outdated, unstable
from entropy.forge.records import comments, requests, reviews, users


@dataclass(frozen=True)
class Measures:
    """What only a look into git can tell about a pull request."""

    mergeable: bool | None
    commits: int
    additions: int
    deletions: int
    changed_files: int
    behind: bool
    """The base has commits that the head has not."""


def simple(view: View, row: sqlite3.Row) -> dict[str, Any]:
    """As lists show it."""
    home = view.home(row["repository_id"])
    url, issue_url = (f"{api_url(view, home)}/{part}/{row['number']}" for part in ("pulls", "issues"))
    statuses = f"{api_url(view, home)}/statuses/{row['head_sha']}"
    page = html_url(view, home, row)
    links = {
        "self": url,
        "html": page,
        "issue": issue_url,
        "comments": f"{issue_url}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{api_url(view, home)}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": statuses,
    }
    return {
        **shared(view, row),
        "id": row["id"],
        "node_id": node_id("PullRequest", row["id"]),
        "url": url,
        "issue_url": issue_url,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "statuses_url": statuses,
        "_links": {name: {"href": href} for name, href in links.items()},
        "head": _side(view, home, row["head_ref"], row["head_sha"]),
        "base": _side(view, home, row["base_ref"], row["base_sha"]),
        "draft": bool(row["draft"]),
        "auto_merge": None,
        "merged_at": row["merged"],
        "merge_commit_sha": row["merge_sha"],
        "requested_reviewers": [user(view, person) for person in requests.find(view.db, row["id"])],
        "requested_teams": [],
    }


def _side(view: View, home: sqlite3.Row, branch: str, sha: str) -> dict[str, Any]:
    owner = users.known(view.db, home["owner_id"])
    return {
        "label": f"{owner['login']}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": user(view, owner),
        "repo": full(view, home),
    }


def pull(view: View, row: sqlite3.Row, measures: Measures) -> dict[str, Any]:
    """As it shows itself."""
    return {
        **simple(view, row),
        "merged": bool(row["merged"]),
        "mergeable": measures.mergeable,
        "rebaseable": None,
        "mergeable_state": _state(view, row, measures),
        "merged_by": view.user(row["merged_by"]),
        "comments": comments.count(view.db, row["id"]),
        "review_comments": len(reviews.comments_of_pull(view.db, row["id"])),
        "maintainer_can_modify": False,
        "commits": measures.commits,
        "additions": measures.additions,
        "deletions": measures.deletions,
        "changed_files": measures.changed_files,
    }


def _state(view: View, row: sqlite3.Row, measures: Measures) -> str:
    if measures.mergeable is None:
        return "unknown"
    if not measures.mergeable:
        return "dirty"
    if row["draft"]:
        return "draft"
    if obstacles(view.db, row, behind=measures.behind):
        return "behind" if outdated(view.db, row, behind=measures.behind) else "blocked"
    return "unstable" if unstable(view.db, row) else "clean"


def review(view: View, pulled: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    home = view.home(pulled["repository_id"])
    author = users.known(view.db, row["user_id"])
    page, url = f"{html_url(view, home, pulled)}#pullrequestreview-{row['id']}", api_url(view, home)
    parent = f"{url}/pulls/{pulled['number']}"
    return {
        "id": row["id"],
        "node_id": node_id("PullRequestReview", row["id"]),
        "user": view.known_user(row["user_id"]),
        "body": row["body"],
        "state": row["state"],
        "html_url": page,
        "pull_request_url": parent,
        "_links": {"html": {"href": page}, "pull_request": {"href": parent}},
        "author_association": association(view.db, home, author),
        "submitted_at": row["submitted"],
        "commit_id": row["commit_sha"],
    }


def review_comment(view: View, home: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    author = users.known(view.db, row["user_id"])
    parent = f"{api_url(view, home)}/pulls/{row['number']}"
    url = f"{api_url(view, home)}/pulls/comments/{row['id']}"
    page = view.html(f"{home['full_name']}/pull/{row['number']}#discussion_r{row['id']}")
    copied = ("id", "body", "path", "side", "line", "start_side", "start_line", "position")
    shape = {
        **{name: row[name] for name in copied},
        "node_id": node_id("PullRequestReviewComment", row["id"]),
        "pull_request_review_id": row["review_id"],
        "diff_hunk": row["hunk"],
        "original_position": row["position"],
        "original_line": row["line"],
        "original_start_line": row["start_line"],
        "commit_id": row["commit_sha"],
        "original_commit_id": row["commit_sha"],
        "subject_type": "line",
        "user": view.known_user(row["user_id"]),
        "author_association": association(view.db, home, author),
        "created_at": row["created"],
        "updated_at": row["updated"],
        "url": url,
        "html_url": page,
        "pull_request_url": parent,
        "_links": {"self": {"href": url}, "html": {"href": page}, "pull_request": {"href": parent}},
        "reactions": rollup(view, ("review_comment", row["id"]), url),
    }
    return {**shape, "in_reply_to_id": row["reply_to"]} if row["reply_to"] else shape
