"""Workers in processes of their own that share one installation of an App, and what they do there."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from entropy.errors import RateLimited
from entropy.github import GitHub
from entropy.github.apps import GitHubApp
from entropy.github.broker import Broker
from entropy.github.transport import Transport
from entropy.models import Secret, WorkItem
from entropy.settings import GitHubSettings, LimitSettings, RedisSettings
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys
from entropy.state.limits import FleetLimits, Windows
from entropy.state.tokens import Tokens

KEYS = Keys("fleet")
LONGEST = 5.0


class Plan(NamedTuple):
    """What a worker needs to know; plain values, for it goes to another process."""

    api: str
    redis: str
    app: int
    key: str
    minute: float
    writes: int
    content: int = 10_000


class Effort(NamedTuple):
    """One thing that was done: when it was first asked for, and how often it was put off."""

    asked: float
    put_off: int


def member(plan: Plan, role: str, connection: RedisConnection) -> GitHub:
    def broker(transport: Transport) -> Broker:
        key = Secret(plan.key)
        app, store = GitHubApp(plan.app, key, transport), Tokens(connection, KEYS, patience=20)
        return Broker(role, app, key, transport=transport, store=store, known=lambda _: None)

    settings = LimitSettings(writes_per_minute=plan.writes, content_per_hour=plan.content, patience=0.2)
    limits = FleetLimits(connection, KEYS, settings, span=20, windows=Windows(minute=plan.minute))
    return GitHub(GitHubSettings(api=plan.api), broker, limiter=limits)


def insist(act: Callable[[], object], *, until: float = math.inf) -> Effort:
    """As a stage does that is told to wait: it comes again when it was told to, or gives up at `until`."""
    asked, put_off = time.time(), 0
    while time.time() < until:
        try:
            act()
        except RateLimited as limited:
            put_off += 1
            time.sleep(min(limited.retry_after, LONGEST))
        else:
            break
    return Effort(asked, put_off)


def comments(plan: Plan, item: WorkItem, number: int) -> list[Effort]:
    connection = RedisConnection(RedisSettings(url=plan.redis))
    with member(plan, "coder", connection) as github:
        done = [
            insist(lambda name=name: github.issues.ensure_comment(item, marker=f"note:{name}", body="Hello."))  # type: ignore[misc]
            for name in range(number)
        ]
    connection.close()
    return done


def merges(plan: Plan, pulls: list[tuple[WorkItem, str]]) -> list[Effort]:
    connection = RedisConnection(RedisSettings(url=plan.redis))
    with member(plan, "merger", connection) as github:
        done = [
            insist(lambda pull=pull, head=head: github.pulls.merge(pull, head=head, title="Merge", message="Good."))  # type: ignore[misc]
            for pull, head in pulls
        ]
    connection.close()
    return done


def talk(plan: Plan, item: WorkItem, until: float) -> list[Effort]:
    """Comment and label as fast as one is let, until that moment of the clock."""
    connection, done = RedisConnection(RedisSettings(url=plan.redis)), []
    path = f"/repos/{item.repository}/issues/{item.number}"
    with member(plan, "coder", connection) as github:
        writes = (
            lambda: github._connection.write("POST", f"{path}/comments", {"body": "x"}, target=item, action="comment"),
            lambda: github.issues.relabel(item, add=["talked"]),
        )
        while time.time() < until:
            effort = insist(writes[len(done) % 2], until=until)
            done.append(effort)
    connection.close()
    return done
