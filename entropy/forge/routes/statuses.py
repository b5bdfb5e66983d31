"""Commit statuses and check runs."""

import sqlite3

from entropy.forge import clock
from entropy.forge.bodies import Body
from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.names import is_sha
from entropy.forge.permissions import Level
from entropy.forge.present import commits as shapes
from entropy.forge.records import statuses
from entropy.forge.refusals import Refusal, invalid, not_found
from entropy.forge.routes.repositories import HOME

COMMIT = f"{HOME}/commits/{{ref:path}}"
RUN = f"{HOME}/check-runs/{{run}}"
_STATES = ("error", "failure", "pending", "success")
_RUN_STATES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
_CONCLUSIONS = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required", "stale")


def create(call: Call) -> Reply:
    body, sha = call.body.of("Status"), _known(call, call.params["sha"])
    state = body.choice("state", _STATES, "")
    if not state:
        raise invalid("Status", "state", "missing_field")
    values = {
        "state": state,
        "context": body.text("context", limit=255) or "default",
        "description": body.text("description", limit=140),
        "target_url": body.text("target_url"),
    }
    row = statuses.create(call.db, (call.repository_id, sha), call.my_id, values)
    return Reply(201, shapes.status(call.view, call.repository, row))


def _known(call: Call, sha: str | None) -> str:
    if not sha or not is_sha(sha) or call.git.resolve(sha) != sha:
        raise Refusal(422, f"No commit found for SHA: {sha}")
    return sha


def find(call: Call) -> Reply:
    page, sha = call.page, call.commit(call.params["ref"])
    rows = statuses.find(call.db, call.repository_id, sha, limit=page.size, offset=page.offset)
    return call.listing([shapes.status(call.view, call.repository, row) for row in rows], total(rows))


def combined(call: Call) -> Reply:
    page, sha = call.page, call.commit(call.params["ref"])
    rows = statuses.latest(call.db, call.repository_id, sha, limit=page.size, offset=page.offset)
    return call.listing(shapes.combined(call.view, call.repository, sha, rows), total(rows))


def runs(call: Call) -> Reply:
    page, sha = call.page, call.commit(call.params["ref"])
    name = call.query.get("check_name")
    rows = statuses.runs(call.db, (call.repository_id, sha), name=name, limit=page.size, offset=page.offset)
    shown = [shapes.check_run(call.view, call.repository, row) for row in rows]
    return call.listing({"total_count": total(rows), "check_runs": shown}, total(rows))


def create_run(call: Call) -> Reply:
    body = call.body.of("CheckRun")
    sha = _known(call, body.required("head_sha"))
    values = _told(body, dict.fromkeys(statuses.CHECK_FIELDS) | {"name": body.required("name"), "status": "queued"})
    row = statuses.create_run(call.db, (call.repository_id, sha), call.my_id, values)
    return Reply(201, shapes.check_run(call.view, call.repository, row))


def _run(call: Call) -> sqlite3.Row:
    row = statuses.get_run(call.db, call.repository_id, call.number("run"))
    if row is None:
        raise not_found()
    return row


def run(call: Call) -> Reply:
    return Reply(data=shapes.check_run(call.view, call.repository, _run(call)))


def edit_run(call: Call) -> Reply:
    row = _run(call)
    values = _told(call.body.of("CheckRun"), {name: row[name] for name in statuses.CHECK_FIELDS})
    changed = statuses.update_run(call.db, row["id"], values)
    return Reply(data=shapes.check_run(call.view, call.repository, changed))


def _told(body: Body, values: dict[str, str | None]) -> dict[str, str | None]:
    """`values` with what the body says laid over them; a conclusion completes a run."""
    names = ("name", "external_id", "details_url")
    told = {name: body.text(name) for name in names} | {
        "status": body.choice("status", _RUN_STATES, "") or None,
        "conclusion": body.choice("conclusion", _CONCLUSIONS, "") or None,
        "started": _time(body, "started_at"),
        "completed": _time(body, "completed_at"),
    }
    if body.has("output"):
        output = Body(body.value["output"], "CheckRun")
        told |= {name: output.text(name) for name in ("title", "summary", "text")}
    if told["conclusion"]:
        told |= {"status": "completed", "completed": told["completed"] or clock.now()}
    merged = values | {name: value for name, value in told.items() if value is not None}
    if merged["status"] == "completed" and not merged["conclusion"]:
        raise invalid("CheckRun", "conclusion", "missing_field")
    return merged | {"started": merged["started"] or clock.now()}


def _time(body: Body, name: str) -> str | None:
    text = body.text(name)
    moment = clock.parse(text) if text else None
    if text and moment is None:
        raise invalid("CheckRun", name)
    return moment


TABLE = (
    Endpoint("POST", f"{HOME}/statuses/{{sha}}", create, Level.WRITE),
    Endpoint("GET", f"{COMMIT}/statuses", find),
    Endpoint("GET", f"{HOME}/statuses/{{ref:path}}", find),
    Endpoint("GET", f"{COMMIT}/status", combined),
    Endpoint("GET", f"{COMMIT}/check-runs", runs),
    Endpoint("POST", f"{HOME}/check-runs", create_run, Level.WRITE),
    Endpoint("GET", RUN, run),
    Endpoint("PATCH", RUN, edit_run, Level.WRITE),
)
