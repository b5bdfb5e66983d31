"""What happens around every endpoint: body, credentials, permission, transaction, journal, answer."""

import hashlib
import json
import sqlite3
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from entropy.forge.bodies import MAX_BODY, parse
from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.gitrepo import GitError
from entropy.forge.permissions import Level, authenticate, level
from entropy.forge.records import repositories
from entropy.forge.refusals import Refusal, not_found
from entropy.forge.routes.users import HOURLY
from entropy.forge.store import Store


class Dispatch:
    """One endpoint as an ASGI application."""

    def __init__(self, store: Store, endpoint: Endpoint) -> None:
        self.store = store
        self.endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = await _read(request)
        if raw is None:
            reply = _refusal(Refusal(413, "Payload too large"))
        else:
            reply = await run_in_threadpool(self.answer, request, raw)
        await _response(reply, request.headers)(scope, receive, send)

    def answer(self, request: Request, raw: bytes) -> Reply:
        try:
            return self._write(request, raw) if self.endpoint.method != "GET" else self._look(request)
        except Refusal as refusal:
            return _refusal(refusal)
        except GitError as error:
            return _refusal(Refusal(422, f"git refuses: {error}"))
        except sqlite3.OperationalError as error:
            return _refusal(Refusal(503, f"The forge's record is busy: {error}"))

    def _look(self, request: Request) -> Reply:
        with self.store.read() as db:
            return self.endpoint.handler(self._call(db, request, b""))

    def _write(self, request: Request, raw: bytes) -> Reply:
        """The change and its line in the journal are one transaction; a refusal leaves the line alone."""
        told = (request.method, request.url.path)
        try:
            with self.store.write() as db:
                call = self._call(db, request, raw)
                reply = self.endpoint.handler(call)
                self._journal(db, told, call.me["login"], reply, raw)
                return reply
        except (Refusal, GitError) as error:
            reply = _refusal(error if isinstance(error, Refusal) else Refusal(422, f"git refuses: {error}"))
        with self.store.write() as db:
            self._journal(db, told, _login(db, request), reply, raw)
        return reply

    def _journal(
        self, db: sqlite3.Connection, told: tuple[str, str], login: str | None, reply: Reply, raw: bytes
    ) -> None:
        self.store.journal(db, request=told, login=login, status=reply.status, body=raw.decode("utf-8", "replace"))

    def _call(self, db: sqlite3.Connection, request: Request, raw: bytes) -> Call:
        viewer = authenticate(db, request.headers.get("authorization"))
        params = {name: str(value) for name, value in request.path_params.items()}
        home = repositories.named(db, f"{params['owner']}/{params['repo']}") if "owner" in params else None
        allowed = level(db, home, viewer) if home else Level.NONE
        if "owner" in params and allowed < Level.READ:
            raise not_found()
        call = Call(
            store=self.store,
            db=db,
            origin=f"{request.url.scheme}://{request.url.netloc}",
            method=request.method,
            path=request.url.path,
            params=params,
            query=dict(request.query_params),
            accept=request.headers.get("accept", ""),
            body=parse(raw),
            viewer=viewer,
            home=home,
            level=allowed,
        )
        if self.endpoint.method != "GET":
            call.me  # noqa: B018 - nobody writes anonymously
        if home:
            call.needs(self.endpoint.needs)
        return call


def _login(db: sqlite3.Connection, request: Request) -> str | None:
    try:
        user = authenticate(db, request.headers.get("authorization"))
    except Refusal:
        return None
    return str(user["login"]) if user else None


async def _read(request: Request) -> bytes | None:
    """The body; None where it is too large."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            return None
    return bytes(raw)


def _refusal(refusal: Refusal) -> Reply:
    return Reply(refusal.status, refusal.payload())


def _response(reply: Reply, asked: Headers) -> Response:
    content = b"" if reply.status == 204 else _content(reply)
    tag = f'W/"{hashlib.sha256(content).hexdigest()}"'
    headers = {**_limits(), "ETag": tag, "X-GitHub-Media-Type": "github.v3; format=json", **reply.headers}
    if reply.status == 200 and asked.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if reply.status == 204:
        return Response(status_code=204, headers=headers)
    headers.setdefault("Content-Type", "application/json; charset=utf-8")
    return Response(content, reply.status, headers)


def _content(reply: Reply) -> bytes:
    data: Any = reply.data
    return reply.raw if reply.raw is not None else json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")


def _limits() -> dict[str, str]:
    facts = {"Limit": HOURLY, "Remaining": HOURLY, "Used": 0, "Reset": int(time.time()) + 3600}
    return {f"X-RateLimit-{name}": str(value) for name, value in facts.items()} | {"X-RateLimit-Resource": "core"}
