"""Waiting: what labels ask for and there was no room for yet. The forge is the record; this is where to look again."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from entropy.models import WorkItem
from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys


class Wish(NamedTuple):
    """An item that a label hands to a role."""

    item: WorkItem
    role: str
    trigger: str


class Waiting:
    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._wait = connection.script("wait")

    def save(self, item: WorkItem, labels: Iterable[str], *, looker: str = "") -> bool:
        """Note the trigger labels of an item, none when it no longer waits; whether it waited and no longer does.

        Nothing is noted for a `looker` whom another one has succeeded.
        """
        keys = [self._keys.waiting, self._keys.waiting_in(item.repository), self._keys.lookers]
        with self._connection.translated():
            return bool(self._wait(keys=keys, args=[item.repository, item.number, looker, *labels]))

    def repositories(self) -> list[str]:
        with self._connection.translated():
            return sorted(map(text, self._connection.redis.smembers(self._keys.waiting)))

    def ready(self, repository: str, triggers: Mapping[str, str]) -> list[Wish]:
        """What waits, the oldest first, without what is being worked on or held back."""
        with self._connection.translated():
            members = map(text, self._connection.redis.zrange(self._keys.waiting_in(repository), 0, -1))
            wishes = [wish for member in members if (wish := _wish(repository, member, triggers))]
            with self._connection.redis.pipeline(transaction=False) as pipeline:
                for item, role, _ in wishes:
                    pipeline.exists(self._keys.active(item, role), self._keys.hold(item, role))
                barred = pipeline.execute()
        return [wish for wish, bars in zip(wishes, barred, strict=True) if not bars]

    def in_flight(self, repository: str | None = None) -> int:
        """How many runs are in flight, altogether or in one repository."""
        redis, keys = self._connection.redis, self._keys
        with self._connection.translated():
            return int(redis.scard(keys.live_of(repository)) if repository else redis.zcard(keys.live))


def _wish(repository: str, member: str, triggers: Mapping[str, str]) -> Wish | None:
    number, _, label = member.partition(":")
    item = WorkItem(repository=repository, number=int(number))
    return Wish(item, triggers[label], label) if label in triggers else None
