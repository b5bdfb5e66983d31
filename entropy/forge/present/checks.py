"""Check runs, check suites and annotations as JSON."""

import sqlite3
from typing import Any

from entropy.forge.gitrepo import Commit
from entropy.forge.present import apps as app_shapes
from entropy.forge.present.repositories import api_url, minimal
from entropy.forge.present.view import View, node_id
from entropy.forge.records import apps, pulls, suites


def check_run(view: View, home: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    url = f"{api_url(view, home)}/check-runs/{row['id']}"
    page = view.html(f"{home['full_name']}/runs/{row['id']}")
    told = {name: row[name] for name in ("name", "status", "conclusion", "external_id")}
    suite = suites.of_author(view.db, (home["id"], row["sha"]), row["user_id"])
    return {
        "id": row["id"],
        "node_id": node_id("CheckRun", row["id"]),
        "head_sha": row["sha"],
        "url": url,
        "html_url": page,
        **told,
        "details_url": row["details_url"] or page,
        "started_at": row["started"],
        "completed_at": row["completed"],
        "check_suite": {"id": suite["id"]},
        "output": {
            "title": row["title"],
            "summary": row["summary"],
            "text": row["text"],
            "annotations_count": suites.counted(view.db, row["id"]),
            "annotations_url": f"{url}/annotations",
        },
        "app": _app(view, row["user_id"]),
        "pull_requests": of_head(view, home, row["sha"]),
    }


def _app(view: View, user_id: int) -> dict[str, Any] | None:
    row = apps.of_bot(view.db, user_id)
    return app_shapes.app(view, row) if row else None


def of_head(view: View, home: sqlite3.Row, sha: str) -> list[dict[str, Any]]:
    """The open pull requests that have this head."""
    place = {"id": home["id"], "url": api_url(view, home), "name": home["name"]}
    return [
        {
            "id": row["id"],
            "number": row["number"],
            "url": f"{place['url']}/pulls/{row['number']}",
            "head": {"ref": row["head_ref"], "sha": row["head_sha"], "repo": place},
            "base": {"ref": row["base_ref"], "sha": row["base_sha"], "repo": place},
        }
        for row in pulls.open_ones(view.db, home["id"])
        if row["head_sha"] == sha
    ]


def check_suite(view: View, home: sqlite3.Row, row: sqlite3.Row, commit: Commit) -> dict[str, Any]:
    url = f"{api_url(view, home)}/check-suites/{row['id']}"
    status, conclusion = suites.verdict(view.db, row)
    found = of_head(view, home, row["sha"])
    return {
        "id": row["id"],
        "node_id": node_id("CheckSuite", row["id"]),
        "head_branch": found[0]["head"]["ref"] if found else None,
        "head_sha": row["sha"],
        "status": status,
        "conclusion": conclusion,
        "url": url,
        "before": found[0]["base"]["sha"] if found else None,
        "after": row["sha"],
        "pull_requests": found,
        "app": _app(view, row["user_id"]),
        "repository": minimal(view, home),
        "created_at": row["created"],
        "updated_at": row["updated"],
        "head_commit": simple_commit(commit),
        "latest_check_runs_count": len(suites.runs(view.db, row)),
        "check_runs_url": f"{url}/check-runs",
        "rerequestable": True,
        "runs_rerequestable": True,
    }


def simple_commit(commit: Commit) -> dict[str, Any]:
    people = {
        role: {"name": person[0], "email": person[1]}
        for role, person in (("author", commit.author), ("committer", commit.committer))
    }
    told = {"id": commit.sha, "tree_id": commit.tree, "message": commit.message, "timestamp": commit.committer[2]}
    return {**told, **people}


def annotation(view: View, home: sqlite3.Row, sha: str, row: sqlite3.Row) -> dict[str, Any]:
    copied = ("path", "start_line", "end_line", "start_column", "end_column", "title", "message", "raw_details")
    told = {name: row[name] for name in copied}
    page = view.html(f"{home['full_name']}/blob/{sha}/{row['path']}")
    return {**told, "annotation_level": row["level"], "blob_href": page}
