"""The judge: what the forge's own record and journal hold about each issue, and nothing that we counted ourselves."""

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from tests.chaos.work import Task

MARKER = re.compile(r"<!-- (entropy:[^ ]+)")
ISSUE = "SELECT id, state FROM issues WHERE repository_id = ? AND number = ?"
PULLS = "SELECT * FROM items WHERE repository_id = ? AND is_pull AND head_ref LIKE ?"
LINKED = "SELECT items.* FROM links JOIN items ON items.id = links.pull_id WHERE links.issue_id = ?"
HOME = (
    "SELECT repositories.id FROM repositories JOIN users ON users.id = owner_id"
    " WHERE users.login || '/' || repositories.name = ?"
)


class Finding(NamedTuple):
    """What is wrong with one issue; all empty when it went exactly as it should."""

    task: Task
    missing: tuple[str, ...]
    doubled: tuple[str, ...]
    folded: tuple[str, ...]
    """Comments that were written twice and are there once, since the second was taken back."""


class Judge:
    """Reads the forge's database."""

    def __init__(self, data: Path) -> None:
        self._path = data / "forge.db"

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=30)
        db.row_factory = sqlite3.Row
        return db

    def closed(self) -> int:
        """How many issues are closed."""
        with closing(self._open()) as db:
            return int(db.execute("SELECT count(*) FROM issues WHERE NOT is_pull AND state = 'closed'").fetchone()[0])

    def steps(self) -> int:
        """How many pull requests, reviews and merges there are."""
        one = "SELECT (SELECT count(*) FROM pulls) + (SELECT count(*) FROM reviews) + (SELECT count(merged) FROM pulls)"
        with closing(self._open()) as db:
            return int(db.execute(one).fetchone()[0])

    def last_write(self) -> int:
        """The number of the last write that the forge was asked for."""
        with closing(self._open()) as db:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()[0])

    def findings(self, work: tuple[Task, ...]) -> list[Finding]:
        """A finding for each issue."""
        with closing(self._open()) as db:
            writes = _writes(db)
            return [_judge(db, task, writes) for task in work]

    def writes(self) -> dict[str, int]:
        """How often each kind of write was answered with success, over all issues."""
        with closing(self._open()) as db:
            rows = db.execute("SELECT method, path FROM journal WHERE status < 300").fetchall()
        return dict(
            Counter(f"{row['method']} {re.sub(r'^/api/v3/repos/[^/]+/[^/]+', '', _shape(row))}" for row in rows)
        )


def _shape(row: sqlite3.Row) -> str:
    return re.sub(r"/(\d+|[0-9a-f]{40})(?=/|$)|(?<=/labels)/.*$", "/…", str(row["path"]))


def _writes(db: sqlite3.Connection) -> Counter[str]:
    """Successful creations by what they were about, from the journal."""
    rows = db.execute("SELECT method, path, login, body FROM journal WHERE status < 300 AND method IN ('POST', 'PUT')")
    return Counter(key for row in rows if (key := _about(row)) is not None)


def _about(row: sqlite3.Row) -> str | None:
    path = str(row["path"])
    if path.endswith("/pulls"):
        return f"{path}:{json.loads(row['body'])['head']}"
    if path.endswith("/merge"):
        return path
    if path.endswith("/comments") and "/issues/" in path:
        return f"{path}:{row['login']}:{_marker(json.loads(row['body'])['body'])}"
    if path.endswith("/reviews") and "event" in (review := json.loads(row["body"])):
        return f"{path}:{row['login']}:{review['commit_id']}"
    if "/reviews/" in path and path.endswith("/events"):  # where one that was begun is submitted
        return f"{path}:{row['login']}"
    return None


def _judge(db: sqlite3.Connection, task: Task, writes: Counter[str]) -> Finding:
    home = db.execute(HOME, (task.repository,)).fetchone()["id"]
    issue = db.execute(ISSUE, (home, task.number)).fetchone()
    branches = db.execute(PULLS, (home, f"entropy/issue-{task.number}")).fetchall()
    branches += db.execute(PULLS, (home, f"entropy/issue-{task.number}-%")).fetchall()
    pulls = {row["id"]: row for row in (*branches, *db.execute(LINKED, (issue["id"],)).fetchall())}
    counts: Counter[str] = Counter(
        {
            "pull request": len(pulls),
            "merge": _events(db, pulls, "merged"),
            "closing": _events(db, [issue["id"]], "closed"),
        }
    )
    doubled: list[str] = []
    folded: list[str] = []
    for id_, number in [(issue["id"], task.number), *((row["id"], row["number"]) for row in pulls.values())]:
        doubled += _comments(db, id_, number)
    for row in pulls.values():
        reviews = Counter(_reviews(db, row["id"]))
        counts["review"] += bool(reviews)
        doubled += [
            f"review of #{row['number']} by {who} at {commit[:7]}" for (who, commit), n in reviews.items() if n > 1
        ]
        more = _in_journal(writes, task, row)
        doubled += [text for text in more if "/comments" not in text]
        folded += [] if doubled else [text for text in more if "/comments" in text]
    wanted = ("pull request", "merge", "closing", "review")
    missing = tuple(name for name in wanted if not counts[name])
    open_still = () if issue["state"] == "closed" else ("closed",)
    doubled += [name for name in wanted if counts[name] > 1]
    return Finding(task, missing + open_still, tuple(doubled), tuple(folded))


def _events(db: sqlite3.Connection, ids: Any, event: str) -> int:
    one = "SELECT count(*) FROM activity WHERE issue_id = ? AND event IN ('issues', 'pull_request') AND action = ?"
    return sum(int(db.execute(one, (id_, event)).fetchone()[0]) for id_ in ids)


def _comments(db: sqlite3.Connection, issue_id: int, number: int) -> list[str]:
    rows = db.execute(
        "SELECT users.login, body FROM comments JOIN users ON users.id = user_id WHERE issue_id = ?", (issue_id,)
    ).fetchall()
    counts = Counter((row["login"], _marker(row["body"])) for row in rows)
    return [f"comment on #{number} by {who}: {marker}" for (who, marker), n in counts.items() if n > 1]


def _marker(body: str) -> str:
    found = MARKER.search(body or "")
    return found[1] if found else (body or "")[:40]


def _reviews(db: sqlite3.Connection, issue_id: int) -> list[tuple[str, str]]:
    rows = db.execute(
        "SELECT users.login, commit_sha FROM reviews JOIN users ON users.id = user_id"
        " WHERE issue_id = ? AND state != 'PENDING'",  # which nobody but its author sees
        (issue_id,),
    ).fetchall()
    return [(row["login"], row["commit_sha"]) for row in rows]


def _in_journal(writes: Counter[str], task: Task, pull: sqlite3.Row) -> list[str]:
    """Writes about this issue and pull request that the forge carried out more than once."""
    base = f"/api/v3/repos/{task.repository}"
    proposal = f"{base}/pulls:{pull['head_ref']}"
    places = (
        f"{base}/pulls/{pull['number']}/",
        f"{base}/issues/{pull['number']}/comments",
        f"{base}/issues/{task.number}/comments",
    )
    return [
        f"{n} times {key.removeprefix(base)}"
        for key, n in writes.items()
        if n > 1 and (key == proposal or key.startswith(places))
    ]
