"""Jobs of GitHub Actions, which are the check runs of one app: what they printed, and running them again."""

import hashlib
import hmac
import re
import sqlite3
import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.permissions import Level
from entropy.forge.records import activity, apps, statuses, suites
from entropy.forge.refusals import Refusal, not_found
from entropy.forge.routes.repositories import HOME
from entropy.forge.store import Store

SLUG = "github-actions"
JOB = f"{HOME}/actions/jobs/{{job}}"
LOGS = "/_logs/{run:int}"
"""Where logs lie: no part of the API, and open to whoever has the signature."""
LIFETIME = 60
"""Seconds that a signature is good for."""


def log(call: Call) -> Reply:
    call.me  # noqa: B018 - the API gives it to nobody anonymous, not even where the repository is public
    run = _job(call)
    found = call.db.execute("SELECT content IS NULL AS gone FROM job_logs WHERE run_id = ?", (run["id"],)).fetchone()
    if found is None:
        raise not_found()
    if found["gone"]:
        raise Refusal(410, "Gone")
    until = int(time.time()) + LIFETIME
    signature = _signature(call.store, run["id"], until)
    location = f"{call.origin}{LOGS.replace('{run:int}', str(run['id']))}?se={until}&sig={signature}"
    return Reply(302, raw=b"", headers={"Location": location})


def rerun(call: Call) -> Reply:
    """Another check run of the same name, which waits for its runner."""
    run = _job(call)
    if run["status"] != "completed":
        raise Refusal(403, "The workflow run containing this job is already running")
    fresh = dict.fromkeys(statuses.CHECK_FIELDS) | {"name": run["name"], "status": "queued"}
    row = statuses.create_run(call.db, (call.repository_id, run["sha"]), run["user_id"], fresh)
    suite, _ = suites.ensure(call.db, (call.repository_id, run["sha"]), run["user_id"])
    suites.touch(call.db, suite["id"])
    activity.tell(call.db, (call.repository_id, None), run["user_id"], "check_run.created", subject=row["id"])
    return Reply(201, {})


def _job(call: Call) -> sqlite3.Row:
    run = statuses.get_run(call.db, call.repository_id, call.number("job"))
    app = apps.of_bot(call.db, run["user_id"]) if run else None
    if run is None or app is None or app["slug"] != SLUG:
        raise not_found()
    return run


def _signature(store: Store, run: int, until: int) -> str:
    return hmac.new(store.signing_key, f"{run} {until}".encode(), hashlib.sha256).hexdigest()


class Logs:
    """The store of logs, as strict as GitHub's: one credential is enough for it, and two are one too many."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def answer(self, request: Request) -> Response:
        return await run_in_threadpool(self._answer, request)

    def _answer(self, request: Request) -> Response:
        if "authorization" in request.headers:
            return _refused(400, "InvalidAuthenticationInfo")
        run, until = int(request.path_params["run"]), request.query_params.get("se", "")
        moment = int(until) if re.fullmatch(r"[0-9]{1,12}", until) else 0
        right, shown = _signature(self._store, run, moment), request.query_params.get("sig", "")
        if moment < time.time() or not hmac.compare_digest(right.encode(), shown.encode()):
            return _refused(403, "AuthenticationFailed")
        with self._store.read() as db:
            found = db.execute("SELECT content FROM job_logs WHERE run_id = ?", (run,)).fetchone()
        if found is None or found["content"] is None:
            return _refused(404, "BlobNotFound")
        return _part(bytes(found["content"]), request.headers.get("range", ""))


def _part(content: bytes, wanted: str) -> Response:
    """All of it, or what follows a byte: GitHub's store does not count from the end."""
    start = re.fullmatch(r"bytes=([0-9]{1,15})-", wanted)
    if start is None or int(start[1]) >= len(content):
        return Response(content, media_type="text/plain")
    at = int(start[1])
    told = {"Content-Range": f"bytes {at}-{len(content) - 1}/{len(content)}"}
    return Response(content[at:], 206, told, media_type="text/plain")


def _refused(status: int, code: str) -> Response:
    return Response(f"<Error><Code>{code}</Code></Error>", status, media_type="application/xml")


TABLE = (
    Endpoint("GET", f"{JOB}/logs", log),
    Endpoint("POST", f"{JOB}/rerun", rerun, Level.WRITE),
)
