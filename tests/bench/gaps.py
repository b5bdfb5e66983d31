"""An ASGI middleware that notes when each repository was looked at."""

import re
import time
from collections import defaultdict
from itertools import pairwise

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LISTED = re.compile(r"^/api/v3/repos/([^/]+/[^/]+)/issues$")
BATCHED = re.compile(rb'repository\(owner: \\"([^"\\]+)\\", name: \\"([^"\\]+)\\"')


class Gaps:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._looks: dict[str, list[float]] = defaultdict(list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        listed = LISTED.match(scope["path"])
        if listed and scope["method"] == "GET":
            self._note(listed[1])
        sent = bytearray()

        async def heard() -> Message:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        await self._app(scope, heard if scope["path"].endswith("/graphql") else receive, send)
        for owner, name in BATCHED.findall(bytes(sent)):
            self._note(f"{owner.decode()}/{name.decode()}")

    def forget(self) -> None:
        """From now on."""
        self._looks.clear()

    def longest(self) -> tuple[float, int]:
        """Seconds that a repository went without a look, at the most; and how many were looked at more than once."""
        gaps = [later - earlier for looks in self._looks.values() for earlier, later in pairwise(looks)]
        return max(gaps, default=0.0), sum(len(looks) > 1 for looks in self._looks.values())

    def _note(self, repository: str) -> None:
        self._looks[repository].append(time.monotonic())
