"""What happens around every endpoint: body, credentials, limits, permission, transaction, journal, answer."""

import hashlib
import json
import sqlite3
from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from entropy.forge.admission import admit, located, moved, refuse_archived
from entropy.forge.bodies import MAX_BODY, parse
from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.gitrepo import GitError
from entropy.forge.identity import Caller, identify
from entropy.forge.limits import NOBODY, Ticket, generates, whose
from entropy.forge.records.versions import touch
from entropy.forge.refusals import Refusal
from entropy.forge.store import Store

_ITEMS = frozenset({"issues", "pull_requests", "administration"})
"""Permissions of the endpoints that may change what an issue looks like."""


class Dispatch:
    """One endpoint as an ASGI application."""

    def __init__(self, store: Store, endpoint: Endpoint) -> None:
        self.store = store
        self.endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = await _read(request)
        response = await run_in_threadpool(self.respond, request, raw)
        await response(scope, receive, send)

    def respond(self, request: Request, raw: bytes | None) -> Response:
        reply = _refusal(Refusal(413, "Payload too large")) if raw is None else self.answer(request, raw)
        ticket: Ticket = getattr(request.state, "ticket", None) or NOBODY
        content = _content(reply)
        tag = reply.headers.get("ETag") or _tag(request, content)
        if reply.status == 200 and tag in _known(request):
            reply = Reply(304)
        cost = 0 if reply.status == 304 else reply.cost
        if cost != 1:
            self.store.limits.settle(ticket, cost)
        headers = {
            "Vary": "Accept, Authorization",
            "X-GitHub-Media-Type": "github.v3; format=json",
            **self.store.limits.headers(ticket),
            **reply.headers,
            "ETag": tag,
        }
        if reply.status in {204, 304}:
            return Response(status_code=reply.status, headers=headers)
        return Response(content, reply.status, {"Content-Type": "application/json; charset=utf-8"} | headers)

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
            call = self._call(db, request, b"")
            if not self.endpoint.versioned:
                return self.endpoint.handler(call)
            tag = _version_tag(request, call.repository)  # taken first: what is read later is never older
            if tag in _known(request):
                return Reply(304, headers={"ETag": tag})
            reply = self.endpoint.handler(call)
            return replace(reply, headers={**reply.headers, "ETag": tag})

    def _write(self, request: Request, raw: bytes) -> Reply:
        """The change and its line in the journal are one transaction; a refusal leaves the line alone."""
        told = (request.method, request.url.path)
        try:
            with self.store.write() as db:
                call = self._call(db, request, raw)
                reply = self.endpoint.handler(call)
                if call.home and not _ITEMS.isdisjoint(self.endpoint.scope.names):
                    touch(db, call.home["id"])
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
        who = identify(db, request.headers.get("authorization"))
        self._charge(db, request, who)
        params = {name: str(value) for name, value in request.path_params.items()}
        home, former = located(db, params)
        allowed = admit(db, self.endpoint, who, home, params)
        if former and home:
            raise moved(request, home)
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
            viewer=who.user if who else None,
            identity=who,
            home=home,
            level=allowed,
        )
        if self.endpoint.method != "GET":
            call.me  # noqa: B018 - nobody writes anonymously
        if home and self.endpoint.actor != "app":
            call.needs(self.endpoint.needs)
        refuse_archived(call, self.endpoint)
        if generates(self.endpoint.method, self.endpoint.path):
            self.store.limits.create(whose(who))
        return call

    def _charge(self, db: sqlite3.Connection, request: Request, who: Caller | None) -> None:
        """Take the request from somebody's budget, before anything is done for it."""
        ticket = request.state.ticket = self.store.limits.ticket(db, who, self.endpoint.bucket)
        self.store.limits.admit(ticket)


def _login(db: sqlite3.Connection, request: Request) -> str | None:
    try:
        who = identify(db, request.headers.get("authorization"))
    except Refusal:
        return None
    return str(who.user["login"]) if who else None


async def _read(request: Request) -> bytes | None:
    """The body; None where it is too large."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            return None
    return bytes(raw)


def _refusal(refusal: Refusal) -> Reply:
    return Reply(refusal.status, refusal.payload(), refusal.headers)


def _known(request: Request) -> list[str]:
    """The tags of the answers that the client has."""
    return request.headers.get("if-none-match", "").split(", ") if request.method in {"GET", "HEAD"} else []


def _version_tag(request: Request, home: sqlite3.Row) -> str:
    """For this question of this token about the repository as it is now."""
    asked = (home["id"], home["version"], str(request.url), request.headers.get("accept", ""))
    return _tag(request, repr(asked).encode())


def _tag(request: Request, content: bytes) -> str:
    """Another for every token, as GitHub's are."""
    whose = request.headers.get("authorization", "").encode()
    return f'W/"{hashlib.sha256(whose + content).hexdigest()}"'


def _content(reply: Reply) -> bytes:
    data: Any = reply.data
    return reply.raw if reply.raw is not None else json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")
