"""How issues hang together: which are parts of which, and which wait for which."""

import sqlite3

from entropy.forge.records import activity, issues

MOST = 100
"""Sub-issues of one issue."""
DEPTH = 8

_CHILDREN = (
    "SELECT items.*, count(*) OVER () AS total FROM sub_issues JOIN items ON items.id = child_id"
    " WHERE parent_id = ? ORDER BY position LIMIT ? OFFSET ?"
)


def children(db: sqlite3.Connection, issue_id: int, *, limit: int = -1, offset: int = 0) -> list[sqlite3.Row]:
    return db.execute(_CHILDREN, (issue_id, limit, offset)).fetchall()


def parent(db: sqlite3.Connection, issue_id: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT items.* FROM sub_issues JOIN items ON items.id = parent_id WHERE child_id = ?", (issue_id,)
    ).fetchone()
    return row


def ancestors(db: sqlite3.Connection, issue_id: int) -> list[int]:
    found: list[int] = []
    above = parent(db, issue_id)
    while above is not None and above["id"] not in found:
        found.append(above["id"])
        above = parent(db, above["id"])
    return found


def adopt(db: sqlite3.Connection, issue: sqlite3.Row, child: sqlite3.Row, user_id: int) -> None:
    """At the end of the list, away from any other parent."""
    release(db, child, user_id)
    last = db.execute("SELECT max(position) AS last FROM sub_issues WHERE parent_id = ?", (issue["id"],)).fetchone()
    db.execute(
        "INSERT INTO sub_issues (child_id, parent_id, position) VALUES (?, ?, ?)",
        (child["id"], issue["id"], (last["last"] or 0) + 1),
    )
    _related(db, issue, child, user_id, "added")


def release(db: sqlite3.Connection, child: sqlite3.Row, user_id: int) -> None:
    above = parent(db, child["id"])
    if above is not None:
        db.execute("DELETE FROM sub_issues WHERE child_id = ?", (child["id"],))
        _related(db, above, child, user_id, "removed")


def _related(db: sqlite3.Connection, issue: sqlite3.Row, child: sqlite3.Row, user_id: int, word: str) -> None:
    for row in (issue, child):
        issues.touch(db, row["id"])
    for told, action in ((issue, "sub_issue"), (child, "parent_issue")):
        place, detail = (told["repository_id"], told["id"]), {"parent": issue["id"], "child": child["id"]}
        activity.tell(db, place, user_id, f"sub_issues.{action}_{word}", detail=detail)


def move(db: sqlite3.Connection, child_id: int, *, after: int | None, before: int | None) -> bool:
    """Next to a sibling; False where that is none."""
    here = db.execute("SELECT * FROM sub_issues WHERE child_id = ?", (child_id,)).fetchone()
    beside = db.execute(
        "SELECT position FROM sub_issues WHERE parent_id = ? AND child_id = ?",
        (here["parent_id"], after if after is not None else before),
    ).fetchone()
    if beside is None:
        return False
    step = 0.5 if after is not None else -0.5
    db.execute("UPDATE sub_issues SET position = ? WHERE child_id = ?", (beside["position"] + step, child_id))
    rows = db.execute("SELECT child_id FROM sub_issues WHERE parent_id = ? ORDER BY position", (here["parent_id"],))
    for at, row in enumerate(rows.fetchall(), 1):
        db.execute("UPDATE sub_issues SET position = ? WHERE child_id = ?", (at, row["child_id"]))
    return True


def blockers(db: sqlite3.Connection, issue_id: int) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT items.* FROM dependencies JOIN items ON items.id = blocker_id WHERE issue_id = ? ORDER BY"
        " dependencies.rowid",
        (issue_id,),
    ).fetchall()


def blocked(db: sqlite3.Connection, issue_id: int) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT items.* FROM dependencies JOIN items ON items.id = issue_id WHERE blocker_id = ? ORDER BY"
        " dependencies.rowid",
        (issue_id,),
    ).fetchall()


def block(db: sqlite3.Connection, issue: sqlite3.Row, blocker: sqlite3.Row, user_id: int) -> bool:
    """False where it is so already."""
    added = db.execute(
        "INSERT INTO dependencies (issue_id, blocker_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (issue["id"], blocker["id"]),
    )
    if added.rowcount:
        _depends(db, issue, blocker, user_id, "added")
    return bool(added.rowcount)


def unblock(db: sqlite3.Connection, issue: sqlite3.Row, blocker: sqlite3.Row, user_id: int) -> bool:
    gone = db.execute("DELETE FROM dependencies WHERE issue_id = ? AND blocker_id = ?", (issue["id"], blocker["id"]))
    if gone.rowcount:
        _depends(db, issue, blocker, user_id, "removed")
    return bool(gone.rowcount)


def _depends(db: sqlite3.Connection, issue: sqlite3.Row, blocker: sqlite3.Row, user_id: int, word: str) -> None:
    for told, action in ((issue, "blocked_by"), (blocker, "blocking")):
        issues.touch(db, told["id"])
        place, detail = (told["repository_id"], told["id"]), {"blocked": issue["id"], "blocker": blocker["id"]}
        activity.tell(db, place, user_id, f"issue_dependencies.{action}_{word}", detail=detail)
