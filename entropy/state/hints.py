"""Hints: what somebody says happened on the forge. It decides where to look next, and nothing else."""

from collections.abc import Iterable
from enum import StrEnum

from entropy.models import Noun, WorkItem
from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys

REMEMBERED = 5 * 86_400_000
"""Milliseconds for which a delivery is known: longer than GitHub sends one again."""
APP_HEARD = 2 * 3_600_000
"""Milliseconds for which one delivery of an App lets us believe in the next."""


class Hint(Noun):
    """Where something happened."""

    repository: str
    numbers: tuple[int, ...] = ()
    everywhere: bool = False
    """It is not known on which items."""


class Taken(StrEnum):
    """What became of a hint."""

    CALL = "call"  # somebody has to be sent to look
    CALLED = "called"  # somebody is on the way
    IDLE = "idle"  # it is about nothing of ours
    KNOWN = "known"  # this delivery was taken in before


class Hints:
    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._hint = connection.script("hint")

    def take(self, hint: Hint | None, *, delivery: str | None = None, of_app: bool = False) -> Taken:
        """Note where to look. A delivery counts once, and is known only if what it hints at is noted, too."""
        keys = self._keys
        names = [keys.looks, keys.told, keys.repositories, keys.stirred, keys.called, keys.delivery(delivery or "")]
        items = self._items(hint)
        arguments: list[str | int] = [
            hint.repository if hint else "",
            int(bool(hint and hint.everywhere)),
            REMEMBERED if delivery else 0,
            APP_HEARD if of_app else 0,
            *items,
        ]
        with self._connection.translated():
            return Taken(text(self._hint(keys=[*names, keys.heard], args=arguments)))

    def unknown(self, deliveries: Iterable[str]) -> list[str]:
        """Those of them that were not taken in."""
        names = list(deliveries)
        with self._connection.translated(), self._connection.redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.exists(self._keys.delivery(name))
            known = pipeline.execute() if names else []
        return [name for name, there in zip(names, known, strict=True) if not there]

    @staticmethod
    def _items(hint: Hint | None) -> Iterable[str]:
        return [str(WorkItem(repository=hint.repository, number=number)) for number in hint.numbers] if hint else []
