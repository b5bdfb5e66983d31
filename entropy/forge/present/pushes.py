"""A push as its webhook tells it."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from entropy.forge.comparisons import compare
from entropy.forge.gitrepo import ABSENT, Commit, GitRepository
from entropy.forge.present.repositories import full
from entropy.forge.present.view import View
from entropy.forge.records import users

MOST = 20
"""Commits in one payload."""


def push(view: View, home: sqlite3.Row, git: GitRepository, told: tuple[Mapping[str, Any], int]) -> dict[str, Any]:
    """`told` is the ref's move and who made it."""
    move, user_id = told
    before, after = move["before"], move["after"]
    created, deleted = before == ABSENT, after == ABSENT
    span = after if created else f"{before}..{after}"
    commits = (
        []
        if deleted or (created and not _known(git, home, after))
        else git.log(_span(git, home, move, span), limit=MOST)
    )
    shown = [_commit(view, home, git, commit) for commit in reversed(commits)]
    person = users.known(view.db, user_id)
    page = view.html(f"{home['full_name']}/compare/{before[:12]}...{after[:12]}")
    head = None if deleted else _commit(view, home, git, git.log(after, limit=1)[0])
    return {
        "ref": move["ref"],
        "before": before,
        "after": after,
        "base_ref": None,
        "created": created,
        "deleted": deleted,
        "forced": bool(move["forced"]),
        "compare": page,
        "commits": shown,
        "head_commit": head,
        "pusher": {"name": person["login"], "email": users.mail(person)},
        "repository": full(view, home),
    }


def _known(git: GitRepository, home: sqlite3.Row, after: str) -> bool:
    """A tag may name something that is no commit."""
    return git.kind(after) == "commit" and git.branch(home["default_branch"]) is not None


def _span(git: GitRepository, home: sqlite3.Row, move: Mapping[str, Any], span: str) -> str:
    """A new branch brings what the default branch has not."""
    base = git.branch(home["default_branch"])
    return f"{base}..{move['after']}" if move["before"] == ABSENT and base else span


def _commit(view: View, home: sqlite3.Row, git: GitRepository, commit: Commit) -> dict[str, Any]:
    files = compare(git, commit.parents[0], commit.sha).files if commit.parents else ()
    moment = datetime.fromisoformat(commit.committer[2])
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": moment.isoformat(),
        "url": view.html(f"{home['full_name']}/commit/{commit.sha}"),
        "author": {"name": commit.author[0], "email": commit.author[1]},
        "committer": {"name": commit.committer[0], "email": commit.committer[1]},
        "added": [file.path for file in files if file.status == "added"],
        "removed": [file.path for file in files if file.status == "removed"],
        "modified": [file.path for file in files if file.status not in {"added", "removed"}],
    }
