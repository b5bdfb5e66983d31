"""Looks: items that something is said to have happened to, until they have been looked at."""

import uuid
from typing import NamedTuple

from entropy.models import WorkItem
from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys

AGAIN = 5_000
"""Milliseconds after which an item that could not be read is tried again."""
LEASE = 10_000
"""Milliseconds after which somebody else looks at what a worker looked at when it was last heard of."""


class Due(NamedTuple):
    """One item to look at."""

    item: WorkItem
    told: str
    """How often it was said to have changed when the look began."""
    looker: str
    """Whoever looks; what they saw counts until the item is another's."""


class Looks:
    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._keys = [keys.looks, keys.told, keys.lookers]
        self._called = keys.called
        self._look = connection.script("look")
        self._looked = connection.script("looked")

    def take(self, item: WorkItem | None = None) -> Due | None:
        """This item, or the one that has waited longest; nobody else is given it for the time of a lease.

        None where somebody else has it, or nothing waits.
        """
        looker = uuid.uuid4().hex
        with self._connection.translated():
            taken = self._look(keys=self._keys, args=[LEASE, looker, str(item or "")])
        return Due(WorkItem.parse(text(taken[0])), text(taken[1]), looker) if taken else None

    def prolong(self, due: Due) -> None:
        """The look goes on."""
        self._end(due, LEASE)

    def done(self, due: Due) -> None:
        """It was looked at; what was said of it meanwhile counts."""
        self._end(due, "")

    def failed(self, due: Due) -> None:
        """It could not be looked at; somebody tries again soon."""
        self._end(due, AGAIN)

    def begin(self) -> None:
        """From here on a hint calls again."""
        with self._connection.translated():
            self._connection.redis.delete(self._called)

    def count(self) -> int:
        with self._connection.translated():
            return int(self._connection.redis.zcard(self._keys[0]))

    def _end(self, due: Due, until: int | str) -> None:
        with self._connection.translated():
            self._looked(keys=self._keys, args=[str(due.item), due.looker, due.told, until])
