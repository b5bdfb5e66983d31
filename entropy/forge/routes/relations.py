"""Sub-issues and dependencies between issues, across repositories of one owner."""

import sqlite3

from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.identity import reach
from entropy.forge.permissions import Level
from entropy.forge.present.issues import issue as shape
from entropy.forge.records import issues, relations, repositories
from entropy.forge.refusals import Refusal, invalid, not_found
from entropy.forge.routes.issues import ISSUE
from entropy.forge.routes.search import LOOK

SUBS, BLOCKERS = f"{ISSUE}/sub_issues", f"{ISSUE}/dependencies/blocked_by"


def _issue(call: Call) -> sqlite3.Row:
    row = call.issue()
    if row["is_pull"]:
        raise not_found()
    return row


def _other(call: Call, number: int | None) -> sqlite3.Row:
    """The issue of this id, which the path does not name, where it may be seen."""
    row = call.db.execute("SELECT * FROM items WHERE id = ? AND NOT is_pull", (number,)).fetchone()
    home = repositories.alive(call.db, row["repository_id"]) if row else None
    if row is None or home is None or reach(call.db, home, call.identity, LOOK) < Level.READ:
        raise Refusal(404, "The provided issue does not exist")
    found: sqlite3.Row = row
    return found


def _given(call: Call, name: str, *, needed: bool = True) -> int | None:
    number = call.body.of("Issue").number(name)
    if number is None and needed:
        raise invalid("Issue", name, "missing_field")
    return number


def _shown(call: Call, row: sqlite3.Row, status: int = 200) -> Reply:
    return Reply(status, shape(call.view, issues.numbered(call.db, row["id"])))


def _listed(call: Call, rows: list[sqlite3.Row]) -> Reply:
    chosen = rows[call.page.offset : call.page.offset + call.page.size]
    return call.listing([shape(call.view, row) for row in chosen], len(rows))


def find(call: Call) -> Reply:
    page = call.page
    rows = relations.children(call.db, _issue(call)["id"], limit=page.size, offset=page.offset)
    return call.listing([shape(call.view, row) for row in rows], total(rows))


def parent(call: Call) -> Reply:
    row = relations.parent(call.db, _issue(call)["id"])
    if row is None:
        raise not_found()
    return _shown(call, row)


def add(call: Call) -> Reply:
    issue, child = _issue(call), _other(call, _given(call, "sub_issue_id"))
    above = relations.ancestors(call.db, issue["id"])
    if child["id"] in {issue["id"], *above}:
        raise Refusal(422, "Sub issue cannot be the same as or an ancestor of the parent issue")
    known = relations.parent(call.db, child["id"])
    if known and not call.body.flag("replace_parent"):
        raise Refusal(422, "Sub issue may only have one parent")
    if len(above) >= relations.DEPTH - 1 or len(relations.children(call.db, issue["id"])) >= relations.MOST:
        raise Refusal(422, "Parent issue cannot have more sub-issues, or is nested too deep")
    relations.adopt(call.db, issue, child, call.my_id)
    return _shown(call, issue, 201)


def _child(call: Call, issue: sqlite3.Row) -> sqlite3.Row:
    child = _other(call, _given(call, "sub_issue_id"))
    known = relations.parent(call.db, child["id"])
    if known is None or known["id"] != issue["id"]:
        raise Refusal(404, "The provided sub-issue does not exist")
    return child


def remove(call: Call) -> Reply:
    issue = _issue(call)
    relations.release(call.db, _child(call, issue), call.my_id)
    return _shown(call, issue)


def move(call: Call) -> Reply:
    issue = _issue(call)
    child = _child(call, issue)
    after, before = _given(call, "after_id", needed=False), _given(call, "before_id", needed=False)
    if (after is None) == (before is None) or not relations.move(call.db, child["id"], after=after, before=before):
        raise Refusal(422, "Give one of after_id and before_id, which has to be a sub-issue of the same parent.")
    return _shown(call, issue)


def blockers(call: Call) -> Reply:
    return _listed(call, relations.blockers(call.db, _issue(call)["id"]))


def blocked(call: Call) -> Reply:
    return _listed(call, relations.blocked(call.db, _issue(call)["id"]))


def block(call: Call) -> Reply:
    issue, blocker = _issue(call), _other(call, _given(call, "issue_id"))
    if blocker["id"] == issue["id"]:
        raise Refusal(422, "An issue cannot be blocked by itself")
    if not relations.block(call.db, issue, blocker, call.my_id):
        raise Refusal(422, "The issue is already blocked by this issue")
    return _shown(call, issue, 201)


def unblock(call: Call) -> Reply:
    issue = _issue(call)
    if not relations.unblock(call.db, issue, _other(call, call.number("blocker")), call.my_id):
        raise not_found()
    return _shown(call, issue)


TABLE = (
    Endpoint("GET", SUBS, find),
    Endpoint("POST", SUBS, add, Level.TRIAGE),
    Endpoint("PATCH", f"{SUBS}/priority", move, Level.TRIAGE),
    Endpoint("DELETE", f"{ISSUE}/sub_issue", remove, Level.TRIAGE),
    Endpoint("GET", f"{ISSUE}/parent", parent),
    Endpoint("GET", BLOCKERS, blockers),
    Endpoint("POST", BLOCKERS, block, Level.TRIAGE),
    Endpoint("DELETE", f"{BLOCKERS}/{{blocker}}", unblock, Level.TRIAGE),
    Endpoint("GET", f"{ISSUE}/dependencies/blocking", blocked),
)
