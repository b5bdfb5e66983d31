"""Reruns: which failed checks were asked to run again, so that each is asked once at each commit."""

from typing import Literal

from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys

MEMORY = 7 * 86400

RerunStanding = Literal["first", "waiting", "again"]


class Reruns:
    """By place, a name such as ``acme/widgets@<commit>:<check>``."""

    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    def standing(self, place: str, completed: str) -> RerunStanding:
        """What a failure that was completed then is: the first there, one that may still be taken back, or for good."""
        with self._connection.translated():
            known = self._connection.redis.get(self._keys.rerun(place))
            waits = bool(self._connection.redis.exists(self._keys.rerun_wait(place)))
        if known is None:
            return "first"
        return "waiting" if waits and text(known) == completed else "again"

    def begin(self, place: str, completed: str, *, wait: float) -> bool:
        """Whether the caller is to ask for another run; nobody else is. `wait`: seconds until it counts as failed."""
        with self._connection.translated():
            redis = self._connection.redis
            redis.set(self._keys.rerun_wait(place), 1, nx=True, px=max(1, int(wait * 1000)))
            return bool(redis.set(self._keys.rerun(place), completed, nx=True, ex=MEMORY))

    def give_up(self, place: str) -> None:
        """Nobody runs it again: the failure stands."""
        with self._connection.translated():
            self._connection.redis.delete(self._keys.rerun_wait(place))
