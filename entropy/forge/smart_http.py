"""git over HTTP: the requests of clone, fetch and push, streamed through ``git http-backend``."""

import asyncio
import contextlib
import os
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from entropy.forge.admission import located
from entropy.forge.clock import now
from entropy.forge.gitrepo import environment
from entropy.forge.identity import Caller, identify, reach
from entropy.forge.permissions import Level
from entropy.forge.records import repositories, users
from entropy.forge.refusals import Refusal, not_found
from entropy.forge.scopes import Scope as Needed
from entropy.forge.store import Store
from entropy.forge.tracking import follow

SERVICES = {"info/refs": "GET", "git-upload-pack": "POST", "git-receive-pack": "POST"}
PUSH = "git-receive-pack"
CHUNK = 65536


@dataclass(frozen=True)
class Visit:
    """An admitted request: whose, to which repository's folder, to push or only to look."""

    login: str
    repository_id: int
    directory: str
    pushes: bool


class SmartHTTP:
    """An ASGI application; the path parameters are owner, repo and service."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        try:
            visit = await run_in_threadpool(self._admit, request)
        except Refusal as refusal:
            await _refuse(refusal)(scope, receive, send)
            return
        await self._serve(request, visit, receive, send)

    def _admit(self, request: Request) -> Visit:
        params, query = request.path_params, request.query_params
        service = str(params["service"])
        if SERVICES.get(service) != request.method:
            raise not_found()
        pushes = PUSH in {service, query.get("service")}
        with self.store.read() as db:
            who = identify(db, request.headers.get("authorization"))
            home, former = self._home(db, params, who)
            allowed = reach(db, home, who, Needed(("contents",), write=pushes)) if home else Level.NONE
            if home is None or allowed < (Level.WRITE if pushes else Level.READ):
                raise self._refusal(known=who is not None, visible=allowed >= Level.READ)
            if former:
                raise _moved(request, f"/{home['full_name']}.git/{service}")
            if pushes and home["archived"]:
                raise Refusal(403, "This repository was archived so it is read-only.")
            return Visit(who.user["login"] if who else "", home["id"], home["directory"], pushes)

    @staticmethod
    def _home(
        db: sqlite3.Connection, params: Mapping[str, object], who: Caller | None
    ) -> tuple[sqlite3.Row | None, bool]:
        try:
            return located(db, {name: str(value) for name, value in params.items()})
        except Refusal:
            if who:
                raise
            return None, False

    @staticmethod
    def _refusal(*, known: bool, visible: bool) -> Refusal:
        if not known:
            return Refusal(401, "Requires authentication")
        return Refusal(403, "You may read this repository, not push to it.") if visible else not_found()

    async def _serve(self, request: Request, visit: Visit, receive: Receive, send: Send) -> None:
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment(request, visit),
        )
        feeder = asyncio.create_task(_feed(process, receive))
        try:
            status, headers = await _head(process)
            await send({"type": "http.response.start", "status": status, "headers": headers})
            async for chunk in _chunks(process):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if visit.pushes and request.method == "POST":
                await run_in_threadpool(self._pushed, request.url.path, visit, status)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            feeder.cancel()
            await asyncio.gather(feeder, return_exceptions=True)
            await _end(process)

    def _environment(self, request: Request, visit: Visit) -> dict[str, str]:
        given = {
            "CONTENT_TYPE": request.headers.get("content-type"),
            "CONTENT_LENGTH": request.headers.get("content-length"),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding"),
            "GIT_PROTOCOL": request.headers.get("git-protocol"),
            "REMOTE_USER": visit.login,
        }
        return {
            **environment(self.store.gitconfig),
            **{name: value for name, value in given.items() if value},
            "GIT_PROJECT_ROOT": str(self.store.data / "repositories"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{visit.directory}/{request.path_params['service']}",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.url.query,
        }

    def _pushed(self, path: str, visit: Visit, status: int) -> None:
        with self.store.write() as db:
            home = repositories.alive(db, visit.repository_id)
            if home:
                pusher = users.named(db, visit.login)
                follow(db, home, self.store.git(home), user_id=pusher["id"] if pusher else None)
                db.execute("UPDATE repositories SET updated = ? WHERE id = ?", (now(), home["id"]))
            self.store.journal(db, request=("POST", path), login=visit.login, status=status, body="")


async def _end(process: asyncio.subprocess.Process) -> None:
    """git has closed its output, or nobody reads it any more."""
    if process.stdin:
        process.stdin.close()
    if process.stdout and not process.stdout.at_eof():
        _kill(process)
    await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    # process.kill() looks for the exit status first and so may take it away from the event loop.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def _moved(request: Request, path: str) -> Refusal:
    """Where git finds a repository that has another name now."""
    query = f"?{request.url.query}" if request.url.query else ""
    location = f"{request.url.scheme}://{request.url.netloc}{path}{query}"
    status, word = (301, "Moved Permanently") if request.method == "GET" else (307, "Temporary Redirect")
    return Refusal(status, word, headers={"Location": location})


def _refuse(refusal: Refusal) -> PlainTextResponse:
    headers = refusal.headers | ({"WWW-Authenticate": 'Basic realm="forge"'} if refusal.status == 401 else {})
    return PlainTextResponse(f"{refusal.message}\n", refusal.status, headers)


async def _feed(process: asyncio.subprocess.Process, receive: Receive) -> None:
    """The request's body into git; a client that goes away ends git too."""
    stdin = process.stdin
    if stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                _kill(process)
                return
            stdin.write(message.get("body", b""))
            await stdin.drain()
            more = message.get("more_body", False)
        stdin.close()


async def _head(process: asyncio.subprocess.Process) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Status and headers, as CGI has them; where git has none, the request made no sense to it."""
    try:
        text = await process.stdout.readuntil(b"\r\n\r\n") if process.stdout else b""
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        text = b""
    pairs = re.findall(rb"^([^:\r\n]+): *([^\r\n]*)\r$", text, flags=re.MULTILINE)
    status = next((int(value[:3]) for name, value in pairs if name.lower() == b"status"), 200 if pairs else 500)
    headers = [(name.lower(), value) for name, value in pairs if name.lower() != b"status"]
    return (status if status < 500 else 400), headers


async def _chunks(process: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
    while process.stdout and (chunk := await process.stdout.read(CHUNK)):
        yield chunk
