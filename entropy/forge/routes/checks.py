"""Check runs and check suites."""

import sqlite3

from entropy.forge import clock
from entropy.forge.bodies import Body
from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.permissions import Level
from entropy.forge.present import checks as shapes
from entropy.forge.records import activity, statuses, suites
from entropy.forge.refusals import invalid, not_found
from entropy.forge.routes.repositories import HOME
from entropy.forge.routes.statuses import COMMIT, known

RUN = f"{HOME}/check-runs/{{run}}"
SUITE = f"{HOME}/check-suites/{{suite}}"
_STATES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
_CONCLUSIONS = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required", "stale")
_LEVELS = ("notice", "warning", "failure")
MOST = 50
"""Annotations in one request."""


def runs(call: Call) -> Reply:
    page, sha = call.page, call.commit(call.params["ref"])
    name = call.query.get("check_name")
    rows = statuses.runs(call.db, (call.repository_id, sha), name=name, limit=page.size, offset=page.offset)
    return _listed(call, rows, total(rows))


def _listed(call: Call, rows: list[sqlite3.Row], count: int) -> Reply:
    shown = [shapes.check_run(call.view, call.repository, row) for row in rows]
    return call.listing({"total_count": count, "check_runs": shown}, count)


def create_run(call: Call) -> Reply:
    body = call.body.of("CheckRun")
    sha = known(call, body.required("head_sha"))
    values = _told(body, dict.fromkeys(statuses.CHECK_FIELDS) | {"name": body.required("name"), "status": "queued"})
    made = _annotations(body)
    suites.ensure(call.db, (call.repository_id, sha), call.my_id)
    row = statuses.create_run(call.db, (call.repository_id, sha), call.my_id, values)
    suites.annotate(call.db, row["id"], made)
    _tell(call, row, "created")
    if row["status"] == "completed":
        _complete(call, row)
    return Reply(201, shapes.check_run(call.view, call.repository, row))


def _tell(call: Call, row: sqlite3.Row, action: str) -> None:
    activity.tell(call.db, (call.repository_id, None), call.my_id, f"check_run.{action}", subject=row["id"])


def _complete(call: Call, row: sqlite3.Row) -> None:
    """A run is done, and perhaps its suite with it."""
    _tell(call, row, "completed")
    suite, _ = suites.ensure(call.db, (call.repository_id, row["sha"]), row["user_id"])
    suites.touch(call.db, suite["id"])
    if suites.verdict(call.db, suite)[0] == "completed":
        place = call.repository_id, None
        activity.tell(call.db, place, call.my_id, "check_suite.completed", subject=suite["id"])


def _run(call: Call) -> sqlite3.Row:
    row = statuses.get_run(call.db, call.repository_id, call.number("run"))
    if row is None:
        raise not_found()
    return row


def run(call: Call) -> Reply:
    return Reply(data=shapes.check_run(call.view, call.repository, _run(call)))


def edit_run(call: Call) -> Reply:
    row, body = _run(call), call.body.of("CheckRun")
    values = _told(body, {name: row[name] for name in statuses.CHECK_FIELDS})
    made = _annotations(body)
    changed = statuses.update_run(call.db, row["id"], values)
    suites.annotate(call.db, row["id"], made)
    if changed["status"] == "completed" and row["status"] != "completed":
        _complete(call, changed)
    return Reply(data=shapes.check_run(call.view, call.repository, changed))


def rerequest_run(call: Call) -> Reply:
    _tell(call, _run(call), "rerequested")
    return Reply(201, {})


def _told(body: Body, values: dict[str, str | None]) -> dict[str, str | None]:
    """`values` with what the body says laid over them; a conclusion completes a run."""
    names = ("name", "external_id", "details_url")
    told = {name: body.text(name) for name in names} | {
        "status": body.choice("status", _STATES, "") or None,
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


def _annotations(body: Body) -> list[suites.Annotation]:
    if not body.has("output"):
        return []
    parts = Body(body.value["output"], "CheckRun").parts("annotations")
    if len(parts) > MOST:
        raise invalid("CheckRun", "annotations")
    return [_annotation(part) for part in parts]


def _annotation(part: Body) -> suites.Annotation:
    start, level = part.number("start_line"), part.choice("annotation_level", _LEVELS, "")
    if start is None or not level:
        raise invalid("CheckRun", "annotations", "missing_field")
    return suites.Annotation(
        path=part.required("path"),
        start_line=start,
        end_line=part.number("end_line") or start,
        start_column=part.number("start_column"),
        end_column=part.number("end_column"),
        level=level,
        title=part.text("title", limit=255),
        message=part.required("message"),
        raw_details=part.text("raw_details"),
    )


def annotations(call: Call) -> Reply:
    row = _run(call)
    rows = suites.annotations(call.db, row["id"])
    chosen = rows[call.page.offset : call.page.offset + call.page.size]
    shown = [shapes.annotation(call.view, call.repository, row["sha"], each) for each in chosen]
    return call.listing(shown, len(rows))


def _shown(call: Call, row: sqlite3.Row, status: int = 200) -> Reply:
    commit = call.git.log(row["sha"], limit=1)[0]
    return Reply(status, shapes.check_suite(call.view, call.repository, row, commit))


def _suite(call: Call) -> sqlite3.Row:
    row = suites.get(call.db, call.repository_id, call.number("suite"))
    if row is None:
        raise not_found()
    return row


def suite(call: Call) -> Reply:
    return _shown(call, _suite(call))


def create_suite(call: Call) -> Reply:
    sha = known(call, call.body.of("CheckSuite").required("head_sha"))
    row, new = suites.ensure(call.db, (call.repository_id, sha), call.my_id)
    if new:
        activity.tell(call.db, (call.repository_id, None), call.my_id, "check_suite.requested", subject=row["id"])
    return _shown(call, row, 201 if new else 200)


def of_commit(call: Call) -> Reply:
    rows = suites.find(call.db, (call.repository_id, call.commit(call.params["ref"])))
    chosen = rows[call.page.offset : call.page.offset + call.page.size]
    shown = [_shown(call, row).data for row in chosen]
    return call.listing({"total_count": len(rows), "check_suites": shown}, len(rows))


def runs_of_suite(call: Call) -> Reply:
    rows = suites.runs(call.db, _suite(call))
    return _listed(call, rows[call.page.offset : call.page.offset + call.page.size], len(rows))


def rerequest_suite(call: Call) -> Reply:
    row = _suite(call)
    activity.tell(call.db, (call.repository_id, None), call.my_id, "check_suite.rerequested", subject=row["id"])
    return Reply(201, {})


TABLE = (
    Endpoint("GET", f"{COMMIT}/check-runs", runs),
    Endpoint("GET", f"{COMMIT}/check-suites", of_commit),
    Endpoint("POST", f"{HOME}/check-runs", create_run, Level.WRITE),
    Endpoint("GET", RUN, run),
    Endpoint("PATCH", RUN, edit_run, Level.WRITE),
    Endpoint("GET", f"{RUN}/annotations", annotations),
    Endpoint("POST", f"{RUN}/rerequest", rerequest_run, Level.WRITE),
    Endpoint("POST", f"{HOME}/check-suites", create_suite, Level.WRITE),
    Endpoint("GET", SUITE, suite),
    Endpoint("GET", f"{SUITE}/check-runs", runs_of_suite),
    Endpoint("POST", f"{SUITE}/rerequest", rerequest_suite, Level.WRITE),
)
