"""GitHub's rate limits: every request is counted, and refused above the limit where the forge is told to."""

import math
import re
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Literal

from entropy.forge.identity import Caller
from entropy.forge.records import apps
from entropy.forge.refusals import Refusal

Bucket = Literal["core", "graphql", "search"]
BUCKETS: tuple[Bucket, ...] = ("core", "graphql", "search")
SECONDS: dict[Bucket, int] = {"core": 3600, "graphql": 3600, "search": 60}
HOURLY, MOST, SEARCHES, ANONYMOUS = 5000, 12500, 30, 60
DOCUMENTED = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
_CONTENT = re.compile(r"/(issues|comments|pulls|reviews|reviews/\{\w+\}/events|replies|reactions)$")
SECONDARY = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content creation."
    " Please retry your request again later."
)


def bucket_of(path: str) -> Bucket | None:
    """Which budget a request to this path is taken from; None where it is free."""
    if path.endswith("/rate_limit"):
        return None
    if path.endswith("/graphql"):
        return "graphql"
    return "search" if path.startswith("/search/") else "core"


def generates(method: str, path: str) -> bool:
    """Whether this makes content that people are told of: issues, pull requests, comments, reviews, reactions."""
    return method == "POST" and _CONTENT.search(path) is not None


def allowance(repositories: int) -> int:
    """Requests per hour for an installation that reaches so many repositories."""
    return min(HOURLY + 50 * max(0, repositories - 20), MOST)


@dataclass
class Window:
    limit: int
    reset: float
    used: int = 0

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


@dataclass
class Spent:
    """What one identity used of one bucket since the forge began."""

    requests: int = 0
    charged: int = 0
    free: int = 0
    refused: int = 0


@dataclass
class Content:
    """The content that one identity made."""

    times: deque[float] = field(default_factory=deque)
    total: int = 0
    refused: int = 0
    most_per_minute: int = 0
    most_per_hour: int = 0

    def since(self, moment: float) -> int:
        return sum(1 for _ in takewhile(lambda each: each > moment, reversed(self.times)))


@dataclass(frozen=True)
class Ticket:
    """One request: who is charged for it, in which bucket, and what a new window would hold."""

    key: str
    bucket: Bucket | None
    limit: int


class Exhausted(Refusal):
    """Nothing is left; GraphQL says so with status 200."""

    def __init__(self, ticket: Ticket) -> None:
        told = f"API rate limit exceeded for {ticket.key}."
        super().__init__(200 if ticket.bucket == "graphql" else 403, told, documentation_url=DOCUMENTED)

    def payload(self) -> dict[str, Any]:
        if self.status == 403:
            return super().payload()
        return {"errors": [{"type": "RATE_LIMITED", "message": self.message}]}


NOBODY = Ticket("nobody", None, ANONYMOUS)


def whose(who: Caller | None) -> str:
    """Whose requests are counted together."""
    return who.key if who else "anonymous"


class Limits:
    """The counters of one running forge. Set its fields before the requests that they are for."""

    def __init__(self) -> None:
        self.enforced = False
        self.hourly: int | None = None
        """Instead of what GitHub allows, for core and graphql."""
        self.searches = SEARCHES
        self.content_per_minute = 80
        self.content_per_hour = 500
        self.minute, self.hour = 60.0, 3600.0
        """How many seconds content counts; a trial that cannot wait shortens them."""
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, Bucket], Window] = {}
        self._spent: dict[tuple[str, Bucket], Spent] = {}
        self._content: dict[str, Content] = {}

    def reset(self) -> None:
        with self._lock:
            self._windows.clear()
            self._spent.clear()
            self._content.clear()

    def ticket(self, db: sqlite3.Connection, who: Caller | None, bucket: Bucket | None) -> Ticket:
        with self._lock:
            window = self._windows.get((whose(who), bucket or "core"))
        if window and window.reset > time.time():
            return Ticket(whose(who), bucket, window.limit)
        limit = self.searches if bucket == "search" else self.hourly
        return Ticket(whose(who), bucket, _allowed(db, who) if limit is None else limit)

    def admit(self, ticket: Ticket) -> None:
        """Charge one request; raises 403 where nothing is left. Not enforced, an empty window begins anew."""
        if ticket.bucket is None:
            return
        with self._lock:
            window, spent = self._window(ticket, ticket.bucket), self._spent_of(ticket.key, ticket.bucket)
            if not window.remaining and not self.enforced:
                del self._windows[ticket.key, ticket.bucket]
                window = self._window(ticket, ticket.bucket)
            spent.requests += 1
            if not window.remaining:
                spent.refused += 1
                raise Exhausted(ticket)
            window.used += 1
            spent.charged += 1

    def settle(self, ticket: Ticket, cost: int) -> None:
        """What the request cost in the end: 0 for one that was answered with 304, points for GraphQL."""
        if ticket.bucket is None:
            return
        with self._lock:
            self._window(ticket, ticket.bucket).used += cost - 1
            spent = self._spent_of(ticket.key, ticket.bucket)
            spent.charged += cost - 1
            spent.free += not cost

    def create(self, key: str) -> None:
        """Count content; raises 403 above the secondary limits."""
        with self._lock:
            made, now = self._content.setdefault(key, Content()), time.monotonic()
            while made.times and made.times[0] <= now - self.hour:
                made.times.popleft()
            wait = self._wait(made, now) if self.enforced else 0
            if wait:
                made.refused += 1
                raise Refusal(403, SECONDARY, headers={"Retry-After": str(wait)}, documentation_url=DOCUMENTED)
            made.times.append(now)
            made.total += 1
            made.most_per_minute = max(made.most_per_minute, made.since(now - self.minute))
            made.most_per_hour = max(made.most_per_hour, len(made.times))

    def _wait(self, made: Content, now: float) -> int:
        """Seconds until there is room again."""
        spans = ((self.content_per_minute, self.minute), (self.content_per_hour, self.hour))
        ends = (
            made.times[-most] + seconds - now if most else seconds for most, seconds in spans if len(made.times) >= most
        )
        return max((math.ceil(end) for end in ends if end > 0), default=0)

    def headers(self, ticket: Ticket) -> dict[str, str]:
        bucket: Bucket = ticket.bucket or "core"
        facts = self.state(Ticket(ticket.key, bucket, ticket.limit))
        return {f"X-RateLimit-{name.capitalize()}": str(value) for name, value in facts.items()} | {
            "X-RateLimit-Resource": bucket
        }

    def state(self, ticket: Ticket) -> dict[str, int]:
        """As ``/rate_limit`` tells it."""
        with self._lock:
            window = self._window(ticket, ticket.bucket or "core")
            return {
                "limit": window.limit,
                "remaining": window.remaining,
                "used": min(window.used, window.limit),
                "reset": math.ceil(window.reset),
            }

    def usage(self) -> Iterator[dict[str, Any]]:
        """What everybody used since the forge began or the counters were reset."""
        with self._lock:
            keys = sorted({key for key, _ in self._spent} | set(self._content))
            minute = time.monotonic() - self.minute
            for key in keys:
                buckets: dict[str, Any] = {
                    bucket: dict(vars(spent)) for (owner, bucket), spent in self._spent.items() if owner == key
                }
                made = self._content.get(key, Content())
                told = {name: value for name, value in vars(made).items() if name != "times"}
                yield {"identity": key, **buckets, "content": {**told, "last_minute": made.since(minute)}}

    def _window(self, ticket: Ticket, bucket: Bucket) -> Window:
        window, now = self._windows.get((ticket.key, bucket)), time.time()
        if window is None or window.reset <= now:
            window = Window(ticket.limit, now + SECONDS[bucket])
            self._windows[ticket.key, bucket] = window
        return window

    def _spent_of(self, key: str, bucket: Bucket) -> Spent:
        return self._spent.setdefault((key, bucket), Spent())


def _allowed(db: sqlite3.Connection, who: Caller | None) -> int:
    """Requests per hour."""
    if who is None:
        return ANONYMOUS
    return allowance(len(apps.reached(db, who.grant.installation["id"])) if who.grant else 0)
