"""Issues and pull requests: their lists, and each with its conversation."""

import sqlite3

from entropy.forge import tracking
from entropy.forge.call import Call
from entropy.forge.comparisons import compare
from entropy.forge.records import comments, issues, repositories, reviews, statuses
from entropy.forge.web.changes import file_diffs
from entropy.forge.web.conversation import CheckLine, check_lines, happenings, verdicts
from entropy.forge.web.sheet import HOME, Facts, Moved, Plain, Sheet

STATES = ("open", "closed", "all")
MOST_COMMITS = 250


def _list(call: Call, *, pulls: bool) -> Facts:
    state, label, page = call.chosen("state", STATES, "open"), call.query.get("label"), call.page
    labels = [label] if label else []
    wanted = issues.Filter(state=state, pulls=pulls, labels=labels, limit=page.size, offset=page.offset)
    rows = issues.find(call.db, call.repository_id, wanted)
    counts = {
        one: issues.find(call.db, call.repository_id, issues.Filter(state=one, pulls=pulls, labels=labels, limit=1))
        for one in STATES
    }
    return {
        "pulls": pulls,
        "state": state,
        "label": label,
        "rows": [(row, comments.count(call.db, row["id"]), _checks(call, row) if pulls else ()) for row in rows],
        "counts": {one: found[0]["total"] if found else 0 for one, found in counts.items()},
        "total": rows[0]["total"] if rows else 0,
    }


def list_issues(call: Call) -> Facts:
    return _list(call, pulls=False)


def list_pulls(call: Call) -> Facts:
    return _list(call, pulls=True)


def _checks(call: Call, pull: sqlite3.Row) -> list[CheckLine]:
    key = (call.repository_id, str(pull["head_sha"]))
    return check_lines(statuses.latest(call.db, *key), statuses.runs(call.db, key))


def issue(call: Call) -> Facts:
    row = call.issue()
    if row["is_pull"]:
        raise Moved(f"/{call.repository['full_name']}/pull/{row['number']}")
    return {**_shared(call, row), "linked": issues.closing(call.db, row["id"])}


def _shared(call: Call, row: sqlite3.Row) -> Facts:
    return {
        "item": row,
        "assignees": issues.assignees(call.db, row["id"]),
        "happenings": happenings(call.db, row),
        "chips": {label["name"]: label["id"] for label in repositories.labels(call.db, call.repository_id)},
    }


def pull(call: Call) -> Facts:
    row = call.issue()
    if not row["is_pull"]:
        raise Moved(f"/{call.repository['full_name']}/issues/{row['number']}")
    row = tracking.current(call.store, call.db, call.repository, row)
    found = compare(call.git, row["base_sha"], row["head_sha"])
    return {
        **_shared(call, row),
        "linked": issues.closed_by(call.db, row["id"]),
        "verdicts": verdicts(call.db, row["id"]),
        "checks": _checks(call, row),
        "commits": call.git.log(f"{row['base_sha']}..{row['head_sha']}", limit=MOST_COMMITS)[::-1],
        "diffs": file_diffs(found.files, reviews.comments_of_pull(call.db, row["id"])),
        "conflict": row["state"] == "open" and found.tree is None,
        "branch_is_there": call.git.branch(row["head_ref"]) is not None,
    }


def pull_diff(call: Call) -> Plain:
    row = tracking.current(call.store, call.db, call.repository, call.pull())
    start = compare(call.git, row["base_sha"], row["head_sha"]).start
    return Plain(call.git.diff(start, row["head_sha"]))


SHEETS = (
    Sheet(f"{HOME}/issues", "items.html", list_issues),
    Sheet(f"{HOME}/pulls", "items.html", list_pulls),
    Sheet(f"{HOME}/issues/{{number}}", "issue.html", issue),
    Sheet(f"{HOME}/pull/{{number}}.diff", "", pull_diff),
    Sheet(f"{HOME}/pull/{{number}}", "pull.html", pull),
)
