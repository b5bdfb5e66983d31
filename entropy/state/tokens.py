"""Tokens: what Apps were given by the forge, sealed, made once for all processes that ask for it."""

import time
import uuid
from collections.abc import Callable

from entropy.errors import StateUnavailable
from entropy.state.connection import RedisConnection, raw, text
from entropy.state.keys import Keys

LIFETIME = 7 * 86400
"""Seconds after which a run that never ended is no user any more."""

PERIOD = 0.05
"""Seconds between two questions of one who waits for a token that another makes."""

Made = tuple[bytes, float]
"""A sealed token, and the seconds for which it may be handed out."""


class Tokens:
    """Sealed tokens by name; only who sealed them can read them."""

    def __init__(self, connection: RedisConnection, keys: Keys, *, patience: float) -> None:
        """`patience`: seconds that making one can take; a maker that needs longer is taken for gone."""
        self._connection = connection
        self._keys = keys
        self._patience = patience
        self._obtain = connection.script("obtain")
        self._deposit = connection.script("deposit")
        self._discard = connection.script("discard")
        self._retire = connection.script("retire")

    def obtain(self, name: str, make: Callable[[], Made]) -> bytes:
        """The token of this name; of all who ask for one that is not there, one makes it."""
        asker, deadline = uuid.uuid4().hex, time.monotonic() + 3 * self._patience
        while time.monotonic() < deadline:
            with self._connection.translated():
                answer = self._obtain(keys=self._names(name), args=[asker, int(self._patience * 1000)])
            if text(answer[0]) == "have":
                return raw(answer[1])
            if text(answer[0]) == "make":
                return self._made(name, asker, make)
            time.sleep(PERIOD)
        raise StateUnavailable(f"The token {name} was being made for too long; see the log of the other workers.")

    def discard(self, name: str, sealed: bytes) -> None:
        """Forget it, for the forge takes it no more."""
        with self._connection.translated():
            self._discard(keys=[self._keys.token(name, "sealed")], args=[sealed])

    def use(self, name: str, run_id: str) -> None:
        """Note that a run uses it from now on."""
        users = self._keys.token(name, "users")
        with self._connection.translated():
            self._connection.redis.sadd(users, run_id)
            self._connection.redis.expire(users, LIFETIME)

    def retire(self, name: str, run_id: str) -> bytes | None:
        """Take it out of use if this run was its last user; what is given is nobody's any more, to be revoked."""
        keys = [self._keys.token(name, "sealed"), self._keys.token(name, "users")]
        with self._connection.translated():
            answer = self._retire(keys=keys, args=[run_id])
        return None if answer is None else raw(answer)

    def _made(self, name: str, asker: str, make: Callable[[], Made]) -> bytes:
        sealed, lifetime = b"", 1.0
        try:
            sealed, lifetime = make()
        finally:
            with self._connection.translated():
                self._deposit(keys=self._names(name), args=[asker, sealed, max(1, int(lifetime * 1000))])
        return sealed

    def _names(self, name: str) -> list[str]:
        return [self._keys.token(name, "sealed"), self._keys.token(name, "making")]
