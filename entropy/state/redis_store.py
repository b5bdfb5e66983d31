"""Large artifacts in Redis itself, for installations without another store."""

from collections.abc import Iterator
from typing import BinaryIO

from entropy.errors import PolicyViolation
from entropy.state.connection import RedisConnection, raw
from entropy.state.keys import Keys
from entropy.state.lifetimes import STRAY


class RedisStore:
    """Up to `limit` bytes under each name."""

    def __init__(self, connection: RedisConnection, keys: Keys, *, limit: int) -> None:
        self._connection = connection
        self._keys = keys
        self._limit = limit

    def put(self, name: str, source: BinaryIO) -> None:
        content = source.read(self._limit + 1)
        if len(content) > self._limit:
            raise PolicyViolation(
                f"An artifact has more than the {self._limit // 2**20} MiB that Redis is to hold; set"
                " ENTROPY_ARTIFACTS__URL to a shared folder or a bucket, or raise ENTROPY_ARTIFACTS__REDIS_MIB."
            )
        with self._connection.translated():
            self._connection.redis.set(self._keys.object(name), content, ex=STRAY)

    def get(self, name: str, target: BinaryIO) -> bool:
        with self._connection.translated():
            content = self._connection.redis.get(self._keys.object(name))
        if content is None:
            return False
        target.write(raw(content))
        return True

    def holds(self, name: str) -> bool:
        with self._connection.translated():
            return bool(self._connection.redis.exists(self._keys.object(name)))

    def delete(self, name: str) -> None:
        with self._connection.translated():
            self._connection.redis.delete(self._keys.object(name))

    def ages(self) -> Iterator[tuple[str, float]]:
        """Nothing: it all expires."""
        return iter(())
