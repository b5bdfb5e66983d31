"""Limits: how fast all workers together may speak to the forge, per identity, on the Redis server's clock."""

import math
import time
import uuid
from typing import NamedTuple

from entropy.errors import RateLimited
from entropy.models import Importance, Standing, Turn
from entropy.settings import LimitSettings
from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys

SHARES = {Importance.MERGE: 1.0, Importance.CHANGE: 0.9, Importance.COMMENT: 0.75}
"""How much of the limits of writes each kind may use up; the rest is kept for what is more important."""

AT_ONCE = {Importance.READ: 70}
AT_MOST = 90
"""How many requests may be on their way; the forge bears a hundred. Reads leave room to writes."""

ROOMS = ("room", "seats", "writes", "content")

SEAT = 2.0
"""Seconds after which a waiter that no longer asks is taken for gone."""

PERIOD = 0.2
"""Seconds between two questions of one waiter."""

WHY = {
    "paused": "the forge has asked everybody with this identity to wait",
    "budget": "the hourly budget is spent, or what is left of it is kept for writes",
    "flying": "as many requests as the forge bears are on their way",
    "writes": "all workers together have written as much as the forge bears",
}


class Windows(NamedTuple):
    """What the forge calls a minute and an hour, in seconds; trials shorten them."""

    minute: float = 60
    hour: float = 3600


USUAL = Windows()


class FleetLimits:
    """`span`: seconds that a request can take at most; one that was not answered is counted for so long."""

    def __init__(
        self,
        connection: RedisConnection,
        keys: Keys,
        settings: LimitSettings,
        *,
        span: float,
        windows: Windows = USUAL,
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._settings = settings
        self._span = span
        self._windows = windows
        self._enter = connection.script("enter")
        self._leave = connection.script("leave")

    def enter(self, identity: str, resource: str, importance: Importance, *, content: bool = False) -> Turn:
        """Wait a little for a place; raises `RateLimited` when there is none for longer."""
        turn = Turn(uuid.uuid4().hex, identity, resource, importance, content)
        deadline = time.monotonic() + self._settings.patience
        while True:
            admitted, wait, why = self._ask(turn)
            if admitted:
                return turn
            if time.monotonic() + wait > deadline:
                self._give_up(turn)
                raise RateLimited(f"{WHY[why]}; that ends in {wait:.0f} seconds.", retry_after=wait)
            time.sleep(min(wait, PERIOD))

    def leave(self, turn: Turn, standing: Standing | None) -> None:
        """Tell how it went; None when no answer came, so that nobody knows."""
        seen = standing or Standing()
        if not self._settings.budget:
            seen = Standing(pause=seen.pause)
        reset: str | int = "" if seen.reset is None else math.ceil(seen.reset * 1000)
        limit, remaining = ("" if value is None else str(value) for value in (seen.limit, seen.remaining))
        args: list[str | int] = [
            turn.id,
            int(standing is not None),
            math.ceil(seen.pause * 1000),
            limit,
            remaining,
            reset,
        ]
        with self._connection.translated():
            self._leave(keys=self._names(turn, "writes", "content"), args=args)

    def _ask(self, turn: Turn) -> tuple[bool, float, str]:
        writes = turn.importance is not Importance.READ
        span, seat = int(self._span * 1000), int(SEAT * 1000)
        args: list[str | float] = [turn.id, int(turn.importance), int(writes), int(turn.content), span, seat]
        args += [self._settings.reserve, AT_ONCE.get(turn.importance, AT_MOST)]
        with self._connection.translated():
            answer = self._enter(keys=self._names(turn, *ROOMS), args=[*args, *self._bounds(turn)])
        return bool(answer[0]), int(answer[1]) / 1000, text(answer[2])

    def _bounds(self, turn: Turn) -> list[int]:
        """Of each window its length in milliseconds, and how many of this importance and above fit into it."""
        share = SHARES.get(turn.importance, 1.0)
        minute, hour = (
            max(1, math.floor(limit * share))
            for limit in (self._settings.writes_per_minute, self._settings.content_per_hour)
        )
        return [int(self._windows.minute * 1000), minute, int(self._windows.hour * 1000), hour]

    def _give_up(self, turn: Turn) -> None:
        _, _, _, room, seats = self._names(turn, "room", "seats")
        with self._connection.translated():
            self._connection.redis.zrem(room, turn.id)
            self._connection.redis.zrem(seats, turn.id)

    def _names(self, turn: Turn, *more: str) -> list[str]:
        parts = ("paused", f"budget:{turn.resource}", f"flying:{turn.resource}", *more)
        return [self._keys.limit(turn.identity, part) for part in parts]
