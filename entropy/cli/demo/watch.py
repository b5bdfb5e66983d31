"""Waits until every issue is merged and closed: hears the runs' announcements, and looks at the forge."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

from entropy.cli.demo.failure import DemoFailed
from entropy.cli.demo.person import Look, Person
from entropy.cli.demo.processes import Children
from entropy.cli.demo.redis_server import RedisServer
from entropy.models import WorkItem
from entropy.settings import RedisSettings
from entropy.state.announcements import Announcement, Announcements
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys

PARKED = "entropy:parked"
LOOK_EVERY = 2.0
"""Seconds between two looks at the forge when nothing is announced."""


def connect(redis: RedisServer) -> RedisConnection:
    return RedisConnection(RedisSettings(url=redis.address, password_file=redis.password_file))


def keys() -> Keys:
    return Keys(RedisSettings().prefix)


def announcements(connection: RedisConnection) -> Generator[Announcement | None]:
    """Each step of each run from now on, and None about four times a second."""
    yield from Announcements(connection, keys()).listen(timeout=0.25)


class Watch:
    """The issues, until all are done."""

    def __init__(self, person: Person, items: Sequence[WorkItem], *, deadline: float) -> None:
        """`deadline`: seconds from now."""
        self._person = person
        self._ends = time.monotonic() + deadline
        self._deadline = deadline
        self._next_look = 0.0
        self.looks: Mapping[WorkItem, Look | None] = dict.fromkeys(items)

    def until_merged(
        self, steps: Iterator[Announcement | None], children: Children, show: Callable[[Announcement], None]
    ) -> None:
        """Return when all are merged and closed; raises `DemoFailed` when one is parked, or late."""
        while not all(look and look.done for look in self.looks.values()):
            step = next(steps)
            if step:
                show(step)
                self._next_look = 0.0 if step.stage == "cleanup" and step.state == "finished" else self._next_look
            children.check()
            self._look()
            if time.monotonic() > self._ends:
                raise DemoFailed(f"{self._unfinished()} after {self._deadline:.0f} seconds.\n{children.tails()}")
            if self._parked():
                raise DemoFailed(f"{self._unfinished()}: Entropy gave up and asks for a person.\n{children.tails()}")

    def _look(self) -> None:
        if time.monotonic() >= self._next_look:
            self.looks = {item: self._person.look(item) for item in self.looks}
            self._next_look = time.monotonic() + LOOK_EVERY

    def _parked(self) -> bool:
        return any(look and PARKED in look.labels for look in self.looks.values())

    def _unfinished(self) -> str:
        stuck = [f"{item} ({_standing(look)})" for item, look in self.looks.items() if not (look and look.done)]
        return f"Not merged: {', '.join(stuck)}"


def _standing(look: Look | None) -> str:
    if look is None:
        return "not looked at"
    pull = f"pull request #{look.pull}" if look.pull else "no pull request"
    return f"{pull}, labels {', '.join(look.labels) or 'none'}"
