"""Holds: an item that was handed to a role and did not move waits longer each time before it is tried again."""

from entropy.models import WorkItem
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys

LONGEST = 3600
MEMORY = 86400


class Holds:
    """Waiting times between fruitless runs, doubling up to an hour."""

    def __init__(self, connection: RedisConnection, keys: Keys, *, first: float) -> None:
        self._connection = connection
        self._keys = keys
        self._first = first

    def pause(self, item: WorkItem, role: str) -> None:
        """Hold the item back for the shortest time: another run is in the way, and will be done."""
        with self._connection.translated():
            self._connection.redis.set(self._keys.hold(item, role), 0, px=max(1, int(self._first * 1000)))

    def lengthen(self, item: WorkItem, role: str) -> float:
        """Hold the item back from the role; returns for how many seconds."""
        idle = self._keys.idle(item, role)
        with self._connection.translated():
            count = int(self._connection.redis.incr(idle))
            self._connection.redis.expire(idle, MEMORY)
            seconds = min(self._first * float(2 ** min(count - 1, 20)), LONGEST)
            self._connection.redis.set(self._keys.hold(item, role), count, px=max(1, int(seconds * 1000)))
        return seconds

    def due(self, seconds: float) -> bool:
        """Whether the last regular discovery was at least so long ago; saying yes makes this one the last."""
        with self._connection.translated():
            return bool(self._connection.redis.set(self._keys.tick, 1, nx=True, px=max(1, int(seconds * 1000))))

    def left(self, item: WorkItem, role: str) -> float:
        """For how many seconds the item is still held back; 0 when it is not."""
        with self._connection.translated():
            return max(0, int(self._connection.redis.pttl(self._keys.hold(item, role)))) / 1000

    def clear(self, item: WorkItem, role: str) -> None:
        """The item moved."""
        with self._connection.translated():
            self._connection.redis.delete(self._keys.idle(item, role), self._keys.hold(item, role))
