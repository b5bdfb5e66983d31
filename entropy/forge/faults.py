"""Faults: answers that go wrong on purpose, to see what clients make of them. Off unless the forge is told."""

import asyncio
import json
import random
import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entropy.forge.deliverer import Mishap

PATH = "/_faults"
"""Where rules are set (POST a list), looked at (GET, with how often each fired) and forgotten (DELETE)."""

Effect = Literal[
    "502_after_applying", "502_before", "403_secondary", "429", "307", "hang", "drop_connection", "stale_list",
    "lose_webhook", "double_webhook",
]  # fmt: skip
WEBHOOKS: Mapping[Effect, Mishap] = {"lose_webhook": "lose", "double_webhook": "double"}
"""Effects on what the forge tells, not on what it is asked; `path` is then found in ``issues.labeled`` and the like."""
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
REMEMBERED = 5000
"""Lists whose former answers are kept."""


@dataclass(frozen=True)
class Rule:
    """Which requests something happens to. `path` is a regular expression found anywhere in the path."""

    effect: Effect
    method: str = ""
    """One method; all when empty."""
    path: str = ""
    count: int | None = None
    """How often at most."""
    probability: float = 1.0
    seed: int = 0
    seconds: float = 1.0
    """How long to hang; how long clients are asked to wait; how far a list may lag behind."""

    def concerns(self, method: str, path: str) -> bool:
        return self.method in ("", method) and re.search(self.path, path) is not None


class Armed:
    """A rule with its own dice and its count."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.fired = 0
        self._dice = random.Random(rule.seed)  # noqa: S311 - for repeatable tests

    def draws(self, method: str, path: str) -> bool:
        if self.rule.count is not None and self.fired >= self.rule.count:
            return False
        return self.rule.concerns(method, path) and self._dice.random() < self.rule.probability


Answer = list[Message]


class Faults:
    """An ASGI middleware around the whole forge."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._armed: list[Armed] = []
        self._past = Past()
        self._dice = threading.Lock()
        self._effects: Mapping[Effect, Callable[[Rule, Scope, Receive, Send], Awaitable[bool]]] = {
            "502_after_applying": self._fail_after_applying,
            "502_before": self._fail_before,
            "403_secondary": self._limit,
            "429": self._limit,
            "307": self._redirect,
            "hang": self._hang,
            "drop_connection": self._drop,
            "stale_list": self._lag,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == PATH:
            await (await self._administer(Request(scope, receive)))(scope, receive, send)
        else:
            await self._forward(scope, receive, send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["method"], scope["path"]
        for armed in self._armed:
            if armed.rule.effect not in WEBHOOKS and armed.draws(*asked):
                armed.fired += 1  # before anything is awaited: the count is kept by requests at the same time too
                if not await self._effects[armed.rule.effect](armed.rule, scope, receive, send):
                    armed.fired -= 1
                return
        if any(armed.rule.effect == "stale_list" and armed.rule.concerns(*asked) for armed in self._armed):
            await _replay(self._past.note(scope, await self._answer(scope, receive)), send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        """Have the forge act, and keep what it says."""
        said: Answer = []

        async def keep(message: Message) -> None:
            said.append(message)

        await self._app(scope, receive, keep)
        return said

    # -- effects; each says whether anything came of it ------------------------------------------------------------

    async def _fail_after_applying(self, _: Rule, scope: Scope, receive: Receive, send: Send) -> bool:
        await self._answer(scope, receive)
        await _bad_gateway(scope, receive, send)
        return True

    async def _fail_before(self, _: Rule, scope: Scope, receive: Receive, send: Send) -> bool:
        await _bad_gateway(scope, receive, send)
        return True

    async def _limit(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> bool:
        status = 403 if rule.effect == "403_secondary" else 429
        await JSONResponse(SECONDARY, status, {"Retry-After": f"{rule.seconds:.0f}"})(scope, receive, send)
        return True

    async def _redirect(self, _: Rule, scope: Scope, receive: Receive, send: Send) -> bool:
        """Nothing is written; the address is where the same may be asked for again."""
        address = str(Request(scope).url)
        told = {"message": "Temporary Redirect", "url": address}
        await JSONResponse(told, 307, {"Location": address})(scope, receive, send)
        return True

    async def _hang(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> bool:
        """The write happens at once, the answer comes late."""
        said = await self._answer(scope, receive)
        await asyncio.sleep(rule.seconds)
        await _replay(said, send)
        return True

    async def _drop(self, _: Rule, scope: Scope, receive: Receive, send: Send) -> bool:
        """The write happens; the answer breaks off, and the server closes the connection over it."""
        said = await self._answer(scope, receive)
        start = {**said[0], "headers": [(b"content-type", b"application/json"), (b"content-length", b"1000")]}
        await _replay([start, {"type": "http.response.body", "body": b"{", "more_body": True}], send)
        return True

    async def _lag(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> bool:
        """The list as it was up to so many seconds ago, if it has changed since."""
        said = await self._answer(scope, receive)
        former = self._past.former(scope, said, within=rule.seconds)
        await _replay(former or self._past.note(scope, said), send)
        return former is not None

    def _mishap(self, event: str) -> Mishap | None:
        """What becomes of a webhook; the threads that send them ask."""
        with self._dice:
            for armed in self._armed:
                if armed.rule.effect in WEBHOOKS and armed.draws("", event):
                    armed.fired += 1
                    return WEBHOOKS[armed.rule.effect]
        return None

    # -- administration --------------------------------------------------------------------------------------------

    async def _administer(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._armed.clear()
            return Response(status_code=204)
        if request.method == "POST":
            try:
                self._armed += [Armed(_rule(row)) for row in json.loads(await request.body())]
                request.state.deliverer.mishap = self._mishap
            except (ValueError, TypeError, AttributeError, re.error) as error:
                return JSONResponse({"message": f"This is not a list of rules: {error}"}, 422)
        return JSONResponse([{**asdict(armed.rule), "fired": armed.fired} for armed in self._armed])


class Past:
    """What lists were answered with, lately."""

    def __init__(self) -> None:
        self._answers: OrderedDict[object, deque[tuple[float, Answer]]] = OrderedDict()

    def note(self, scope: Scope, said: Answer) -> Answer:
        if scope["method"] == "GET" and said[0]["status"] == 200:
            key = _key(scope)
            self._answers.setdefault(key, deque(maxlen=5)).append((time.monotonic(), said))
            self._answers.move_to_end(key)
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return said

    def former(self, scope: Scope, said: Answer, *, within: float) -> Answer | None:
        """The oldest answer of the last seconds, where it differs from this one."""
        since = time.monotonic() - within
        kept = [answer for moment, answer in self._answers.get(_key(scope), ()) if moment >= since]
        return kept[0] if kept and _body(kept[0]) != _body(said) and _body(said)[:1] == b"[" else None


def _key(scope: Scope) -> object:
    headers = dict(scope["headers"])
    return scope["path"], scope["query_string"], headers.get(b"authorization"), headers.get(b"accept")


def _body(answer: Answer) -> bytes:
    return b"".join(message.get("body", b"") for message in answer[1:])


def _rule(row: Mapping[str, Any]) -> Rule:
    unknown = row.keys() - {field.name for field in fields(Rule)}
    rule = Rule(**{name: value for name, value in row.items() if name not in unknown})
    if unknown or rule.effect not in get_args(Effect):
        raise ValueError(f"{', '.join(unknown) or rule.effect} is unknown.")
    re.compile(rule.path)
    return rule


async def _bad_gateway(scope: Scope, receive: Receive, send: Send) -> None:
    await Response("<html>502 Bad Gateway</html>", 502, media_type="text/html")(scope, receive, send)


async def _replay(said: Answer, send: Send) -> None:
    for message in said:
        await send(message)
