"""The repositories, and one of them at a glance."""

import sqlite3

from entropy.forge.call import Call
from entropy.forge.gitrepo import Commit, GitRepository
from entropy.forge.permissions import Level, level
from entropy.forge.records import issues, repositories, users
from entropy.forge.refusals import not_found
from entropy.forge.web.files import read_text
from entropy.forge.web.sheet import HOME, Facts, Plain, Sheet
from entropy.forge.web.templates import open_count

BRANCHES = 20
NEWEST = 10
DEFAULT_COLOUR = "ededed"
"""Of labels that nobody coloured; the page's own stylesheet does."""
_LUMINANCE = (0.299, 0.587, 0.114)


def home(call: Call) -> Facts:
    """Every repository that the viewer may read; below an owner's name, only the owner's."""
    owner = call.params.get("login")
    if owner is not None and users.named(call.db, owner) is None:
        raise not_found()
    found = [
        (row, open_count(call.db, row, pulls=False), open_count(call.db, row, pulls=True), _tip(call, row))
        for row in repositories.everyone(call.db)
        if level(call.db, row, call.viewer) >= Level.READ and (owner is None or row["owner"].lower() == owner.lower())
    ]
    return {"owner": owner, "found": found}


def _tip(call: Call, row: sqlite3.Row) -> Commit | None:
    git = call.store.git(row)
    sha = git.branch(row["default_branch"])
    return git.log(sha, limit=1)[0] if sha else None


def repository(call: Call) -> Facts:
    newest = _tip(call, call.repository)
    readme = _readme(call, newest.sha) if newest else None
    branches = _branches(call.git)
    return {
        "branches": branches[:BRANCHES],
        "more": max(0, len(branches) - BRANCHES),
        "commits": call.git.log(newest.sha, limit=NEWEST) if newest else [],
        "lists": [
            ("Pull requests", "pulls", _items(call, pulls=True)),
            ("Issues", "issues", _items(call, pulls=False)),
        ],
        "readme": readme,
        "clone": f"{call.origin}/{call.repository['full_name']}.git",
    }


def _items(call: Call, *, pulls: bool) -> tuple[str, list[sqlite3.Row]]:
    """The newest that are open; where none is, the newest that are closed."""
    for state in ("open", "closed"):
        wanted = issues.Filter(state=state, pulls=pulls, limit=NEWEST)
        rows = issues.find(call.db, call.repository_id, wanted)
        if rows:
            return state, rows
    return "open", []


def _branches(git: GitRepository) -> list[tuple[str, str]]:
    names = [(name.removeprefix("refs/heads/"), sha) for name, sha in git.refs("refs/heads/")]
    head = git.head_branch()
    return sorted(names, key=lambda one: (one[0] != head, one[0]))


def _readme(call: Call, sha: str) -> tuple[str, str] | None:
    """Path and text of the repository's README."""
    named = [entry for entry in call.git.entries(sha, "") if entry[1] == "blob"]
    rank = {"readme.md": 0, "readme.rst": 1, "readme.txt": 2, "readme": 3}
    for entry in sorted(named, key=lambda one: rank.get(one[4].lower(), 9)):
        if entry[4].lower() in rank:
            return entry[4], read_text(call.git, entry).text or ""
    return None


def label_colours(call: Call) -> Plain:
    """A stylesheet: styles within the page are forbidden to it."""
    chosen = [row for row in repositories.labels(call.db, call.repository_id) if row["color"] != DEFAULT_COLOUR]
    rules = [_rule(row) for row in chosen]
    return Plain("".join(rules).encode(), "text/css; charset=utf-8")


def _rule(row: sqlite3.Row) -> str:
    parts = [int(row["color"][at : at + 2], 16) for at in (0, 2, 4)]
    bright = sum(part * weight for part, weight in zip(parts, _LUMINANCE, strict=True)) > 140
    colour = "#{:02x}{:02x}{:02x}".format(*parts)
    return f".label-{row['id']} {{ background: {colour}; color: {'#111' if bright else '#fff'}; }}\n"


SHEETS = (
    Sheet("/", "home.html", home),
    Sheet("/{login}", "home.html", home),
    Sheet(f"{HOME}/labels.css", "", label_colours),
    Sheet(HOME, "repository.html", repository),
)
