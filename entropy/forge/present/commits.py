"""Commits, refs, branches, files and what is said about commits as JSON."""

import base64
import sqlite3
from typing import Any
from urllib.parse import quote

from entropy.forge.diffs import ChangedFile
from entropy.forge.gitrepo import Commit
from entropy.forge.present.repositories import api_url, minimal
from entropy.forge.present.view import View, node_id, user
from entropy.forge.records import protections, statuses, users


def commit(view: View, home: sqlite3.Row, row: Commit) -> dict[str, Any]:
    url = api_url(view, home)
    author, committer = users.of_mail(view.db, row.author[1]), users.of_mail(view.db, row.committer[1])
    return {
        "sha": row.sha,
        "node_id": node_id("Commit", row.sha),
        "url": f"{url}/commits/{row.sha}",
        "html_url": view.html(f"{home['full_name']}/commit/{row.sha}"),
        "comments_url": f"{url}/commits/{row.sha}/comments",
        "commit": git_commit(url, row, signed=is_signed(view, row.sha)),
        "author": user(view, author) if author else None,
        "committer": user(view, committer) if committer else None,
        "parents": [parent(view, home, sha) for sha in row.parents],
    }


def parent(view: View, home: sqlite3.Row, sha: str) -> dict[str, str]:
    page = view.html(f"{home['full_name']}/commit/{sha}")
    return {"sha": sha, "url": f"{api_url(view, home)}/commits/{sha}", "html_url": page}


def is_signed(view: View, sha: str) -> bool:
    """The forge signs what is committed through its API, as GitHub does."""
    return view.db.execute("SELECT 1 FROM signed_commits WHERE sha = ?", (sha,)).fetchone() is not None


def git_commit(url: str, row: Commit, *, signed: bool = False) -> dict[str, Any]:
    reason = "valid" if signed else "unsigned"
    return {
        "url": f"{url}/git/commits/{row.sha}",
        "author": _signature(row.author),
        "committer": _signature(row.committer),
        "message": row.message,
        "tree": {"sha": row.tree, "url": f"{url}/git/trees/{row.tree}"},
        "comment_count": 0,
        "verification": {
            "verified": signed, "reason": reason, "signature": None, "payload": None, "verified_at": None,
        },
    }  # fmt: skip


def _signature(person: tuple[str, str, str]) -> dict[str, str]:
    return {"name": person[0], "email": person[1], "date": person[2]}


def ref(view: View, home: sqlite3.Row, name: str, target: tuple[str, str]) -> dict[str, Any]:
    """`target` is the kind of object and its sha."""
    url = api_url(view, home)
    return {
        "ref": name,
        "node_id": node_id("Ref", name),
        "url": f"{url}/git/{name}",
        "object": {"type": target[0], "sha": target[1], "url": f"{url}/git/{target[0]}s/{target[1]}"},
    }


def short_branch(view: View, home: sqlite3.Row, name: str, sha: str) -> dict[str, Any]:
    here = {"sha": sha, "url": f"{api_url(view, home)}/commits/{sha}"}
    return {"name": name, "commit": here, "protected": protections.get(view.db, home["id"], name) is not None}


def branch(view: View, home: sqlite3.Row, name: str, tip: Commit) -> dict[str, Any]:
    url = f"{api_url(view, home)}/branches/{name}"
    rules = protections.get(view.db, home["id"], name)
    contexts = rules["checks"]["contexts"] if rules and rules["checks"] else []
    checks = [{"context": context, "app_id": None} for context in contexts]
    level = "everyone" if contexts else "off"
    return {
        "name": name,
        "commit": commit(view, home, tip),
        "_links": {"self": url, "html": view.html(f"{home['full_name']}/tree/{name}")},
        "protected": rules is not None,
        "protection": {
            "enabled": rules is not None,
            "required_status_checks": {"enforcement_level": level, "contexts": contexts, "checks": checks},
        },
        "protection_url": f"{url}/protection",
    }


def entry(view: View, home: sqlite3.Row, found: tuple[str, str, str, int, str], at: str) -> dict[str, Any]:
    """One line of a tree at the commit `at`."""
    mode, kind, sha, size, path = found
    word = {"tree": "dir", "commit": "submodule"}.get(kind, "symlink" if mode == "120000" else "file")
    api, page = (
        api_url(view, home),
        view.html(f"{home['full_name']}/{'tree' if kind == 'tree' else 'blob'}/{at}/{path}"),
    )
    links = {
        "url": f"{_contents(view, home, path)}?ref={at}",
        "git_url": f"{api}/git/{kind}s/{sha}",
        "html_url": page,
    }
    return {
        "type": word,
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": sha,
        "size": size,
        **links,
        "download_url": f"{page}?raw=true" if word == "file" else None,
        "_links": {"self": links["url"], "git": links["git_url"], "html": page},
    }


def _contents(view: View, home: sqlite3.Row, path: str) -> str:
    return f"{view.api('/repos/' + str(home['full_name']) + '/contents')}/{quote(path)}"


def file(
    view: View, home: sqlite3.Row, found: tuple[str, str, str, int, str], content: bytes, at: str
) -> dict[str, Any]:
    shape = entry(view, home, found, at)
    return {**shape, "type": "file", "encoding": "base64", "content": base64.encodebytes(content).decode()}


def changed_file(view: View, home: sqlite3.Row, row: ChangedFile, at: str) -> dict[str, Any]:
    page = view.html(f"{home['full_name']}/blob/{at}/{row.path}")
    shape = {
        "sha": row.sha,
        "filename": row.path,
        "status": row.status,
        "additions": row.additions,
        "deletions": row.deletions,
        "changes": row.additions + row.deletions,
        "blob_url": page,
        "raw_url": f"{page}?raw=true",
        "contents_url": f"{_contents(view, home, row.path)}?ref={at}",
    }
    shape |= {"patch": row.patch} if row.patch else {}
    return shape | ({"previous_filename": row.previous} if row.previous else {})


def status(view: View, home: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    creator = view.user(row["user_id"])
    return {**simple_status(view, home, row), "creator": creator}


def simple_status(view: View, home: sqlite3.Row, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "node_id": node_id("StatusContext", row["id"]),
        "url": f"{api_url(view, home)}/statuses/{row['sha']}",
        "avatar_url": view.html(f"avatars/{row['user_id']}"),
        "state": row["state"],
        "description": row["description"],
        "target_url": row["target_url"],
        "context": row["context"],
        "created_at": row["created"],
        "updated_at": row["created"],
    }


def combined(view: View, home: sqlite3.Row, sha: str, rows: list[sqlite3.Row]) -> dict[str, Any]:
    url = f"{api_url(view, home)}/commits/{sha}"
    return {
        "state": statuses.combined(view.db, home["id"], sha),
        "sha": sha,
        "total_count": rows[0]["total"] if rows else 0,
        "statuses": [simple_status(view, home, row) for row in rows],
        "repository": minimal(view, home),
        "commit_url": url,
        "url": f"{url}/status",
    }
