"""Intents: each write to the outside is noted before it is made, made once, and its result recorded."""

from collections.abc import Callable

from entropy.errors import StaleGeneration
from entropy.models import Run
from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys

LIFETIME = 7 * 86400
"""Seconds after which the intents of a run that never ended go."""

Reached = Callable[[str], None]
"""Is told the name of each point that a run passes."""


def unwatched(point: str) -> None:
    """Nobody watches: what every installation runs with."""


class Intents:
    """The outside writes of runs by name. `reached` is told each point between them, to test crashes there."""

    def __init__(self, connection: RedisConnection, keys: Keys, *, reached: Reached = unwatched) -> None:
        self._connection = connection
        self._keys = keys
        self._intend = connection.script("intend")
        self._record = connection.script("record")
        self._reached = reached

    def once(self, run: Run, name: str, act: Callable[[], str]) -> str:
        """The result of `act`, now or from an earlier try of this run; raises `StaleGeneration` before it is called.

        `act` looks before it writes: a worker can die between its write and our record of it.
        """
        self._reached(f"{name}.intend")
        with self._connection.translated():
            answer = self._intend(
                keys=[self._keys.run(run.id), self._keys.intents(run.id)], args=[run.generation, name, LIFETIME]
            )
        if answer[0] == b"stale":
            raise StaleGeneration
        if answer[0] == b"done":
            return text(answer[1])
        self._reached(f"{name}.act")
        result = act()
        self._reached(f"{name}.record")
        with self._connection.translated():
            self._record(keys=[self._keys.intents(run.id)], args=[name, result or "done"])
        self._reached(f"{name}.recorded")
        return result

    def of(self, run_id: str) -> dict[str, str]:
        """What a run intended, with the result of what it did; empty text for what may not have happened."""
        with self._connection.translated():
            noted = self._connection.redis.hgetall(self._keys.intents(run_id))
        return {text(name): text(result) for name, result in noted.items()}

    def drop(self, run_id: str) -> None:
        with self._connection.translated():
            self._connection.redis.delete(self._keys.intents(run_id))
