"""Commit statuses."""

from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.names import is_sha
from entropy.forge.permissions import Level
from entropy.forge.present import commits as shapes
from entropy.forge.records import activity, statuses
from entropy.forge.refusals import Refusal, invalid
from entropy.forge.routes.repositories import HOME

COMMIT = f"{HOME}/commits/{{ref:path}}"
_STATES = ("error", "failure", "pending", "success")


def create(call: Call) -> Reply:
    body, sha = call.body.of("Status"), known(call, call.params["sha"])
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
    activity.tell(call.db, (call.repository_id, None), call.my_id, "status", subject=row["id"])
    return Reply(201, shapes.status(call.view, call.repository, row))


def known(call: Call, sha: str | None) -> str:
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


TABLE = (
    Endpoint("POST", f"{HOME}/statuses/{{sha}}", create, Level.WRITE),
    Endpoint("GET", f"{COMMIT}/statuses", find),
    Endpoint("GET", f"{HOME}/statuses/{{ref:path}}", find),
    Endpoint("GET", f"{COMMIT}/status", combined),
)
