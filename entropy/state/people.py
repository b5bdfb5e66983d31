"""What is remembered of accounts: what they may do, which are our own, and which of their commands were obeyed."""

from collections.abc import Mapping
from typing import Any

from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys

OBEYING = 60
"""Seconds after which a command that nobody finished may be taken up by another worker."""
OBEYED = 30 * 86400


class People:
    def __init__(self, connection: RedisConnection, keys: Keys, *, memory: float) -> None:
        """`memory`: for how many seconds it is remembered what somebody may do."""
        self._connection = connection
        self._keys = keys
        self._memory = max(1, int(memory * 1000))

    def permission(self, repository: str, login: str) -> bool | None:
        """Whether the account may write to the repository; None when that is not remembered."""
        with self._connection.translated():
            known = self._connection.redis.get(self._keys.permission(repository, login.casefold()))
        return None if known is None else text(known) == "1"

    def remember(self, repository: str, login: str, *, may_write: bool) -> None:
        key = self._keys.permission(repository, login.casefold())
        with self._connection.translated():
            self._connection.redis.set(key, int(may_write), px=self._memory)

    def introduce(self, logins: Mapping[str, str]) -> None:
        """Tell workers without these roles' credentials who they are."""
        told: dict[Any, Any] = {**logins}
        if not told:
            return
        with self._connection.translated():
            self._connection.redis.hset(self._keys.names, mapping=told)

    def names(self) -> dict[str, str]:
        """Role → login, as far as they were introduced."""
        with self._connection.translated():
            return {text(role): text(login) for role, login in self._connection.redis.hgetall(self._keys.names).items()}

    def take(self, comment: int) -> bool:
        """Whether this worker is to obey the commands of this comment now."""
        with self._connection.translated():
            return bool(self._connection.redis.set(self._keys.answer(comment), "taken", nx=True, ex=OBEYING))

    def leave(self, comment: int, *, obeyed: bool) -> None:
        """Another worker may try; or nobody has to any more."""
        key = self._keys.answer(comment)
        with self._connection.translated():
            if obeyed:
                self._connection.redis.set(key, "obeyed", ex=OBEYED)
            else:
                self._connection.redis.delete(key)

    def due(self, seconds: float) -> bool:
        """Whether the last look at what is at work was at least so long ago; saying yes makes this one the last."""
        with self._connection.translated():
            return bool(self._connection.redis.set(self._keys.watch, 1, nx=True, px=max(1, int(seconds * 1000))))
