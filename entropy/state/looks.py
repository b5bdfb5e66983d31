"""Looks: items that something is said to have happened to, until they have been looked at."""

from typing import NamedTuple

from entropy.models import WorkItem
from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys

AGAIN = 5_000
"""Milliseconds after which an item that could not be read is tried again."""
LEASE = 60_000
"""Milliseconds after which somebody else looks at what a worker began to look at."""


class Due(NamedTuple):
    """One item to look at."""

    item: WorkItem
    told: str
    """How often it was said to have changed when the look began."""


class Looks:
    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._keys = [keys.looks, keys.told]
        self._called = keys.called
        self._look = connection.script("look")
        self._looked = connection.script("looked")

    def take(self, item: WorkItem | None = None) -> Due | None:
        """This item, or the one that has waited longest; nobody else is given it for the time of a lease.

        None where somebody else has it, or nothing waits.
        """
        with self._connection.translated():
            taken = self._look(keys=self._keys, args=[LEASE, str(item or "")])
        return Due(WorkItem.parse(text(taken[0])), text(taken[1])) if taken else None

    def done(self, due: Due) -> None:
        """It was looked at; what was said of it meanwhile counts."""
        with self._connection.translated():
            self._looked(keys=self._keys, args=[str(due.item), due.told, ""])

    def failed(self, due: Due) -> None:
        """It could not be looked at; somebody tries again soon."""
        with self._connection.translated():
            self._looked(keys=self._keys, args=[str(due.item), due.told, AGAIN])

    def begin(self) -> None:
        """From here on a hint calls again."""
        with self._connection.translated():
            self._connection.redis.delete(self._called)

    def count(self) -> int:
        with self._connection.translated():
            return int(self._connection.redis.zcard(self._keys[0]))
