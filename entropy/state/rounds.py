"""Rounds: which repository is to be looked at when, by one sweep at a time over all workers."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys

LEASE = 10_000
"""Milliseconds after which a sweep that says nothing of itself is over."""
SLOWEST = 16
PACE_LIFETIME = 3600
"""Seconds until the usual pace is tried again."""
PAGES_LIFETIME = 86400
CHUNK = 1000


class Round(NamedTuple):
    """A repository that is due."""

    repository: str
    quiet: float | None
    """Seconds since something was seen to move there; None when that never was."""


class Rounds:
    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._redis = connection.redis
        self._keys = keys
        self._release = connection.script("release")
        self._serve = connection.script("serve")

    @contextmanager
    def sweeping(self) -> Iterator["Sweeping | None"]:
        """The right to sweep; None while another worker does."""
        owner = uuid.uuid4().hex
        with self._connection.translated():
            mine = self._redis.set(self._keys.sweep, owner, nx=True, px=LEASE)
        if not mine:
            yield None
            return
        try:
            yield Sweeping(self._connection, self._keys, owner)
        finally:
            with self._connection.translated():
                self._release(keys=[self._keys.sweep], args=[owner])

    def serve(self, repositories: Iterable[str]) -> None:
        """Serve these and no others; those that are new are due at once."""
        names = sorted(set(repositories))
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
        with self._connection.translated():
            known = self._redis.get(self._keys.turn("served"))
            if known and text(known) == digest and self._redis.zcard(self._keys.repositories) == len(names):
                return
            wanted = self._keys.turn(f"wanted:{uuid.uuid4().hex}")
            with self._redis.pipeline() as pipeline:
                for start in range(0, len(names), CHUNK):
                    pipeline.sadd(wanted, *names[start : start + CHUNK])
                pipeline.execute()
            self._serve(keys=[self._keys.repositories, self._keys.stirred, wanted])
            self._redis.set(self._keys.turn("served"), digest)

    def count(self) -> int:
        with self._connection.translated():
            return int(self._redis.zcard(self._keys.repositories))

    def owners(self) -> set[str]:
        """Whose repositories they are."""
        with self._connection.translated():
            names = map(text, self._redis.zrange(self._keys.repositories, 0, -1))
            return {name.partition("/")[0] for name in names}

    def serves(self, repositories: Iterable[str]) -> set[str]:
        """Those of them that are served."""
        names = list(repositories)
        if not names:
            return set()
        with self._connection.translated():
            scores = self._redis.zmscore(self._keys.repositories, names)
        return {name for name, score in zip(names, scores, strict=True) if score is not None}

    def page(self, name: str) -> tuple[str, str] | None:
        """The ETag and the content of a page of the list of repositories, if it is known."""
        with self._connection.translated():
            found = self._redis.hget(self._keys.roster, name)
        etag, _, content = text(found).partition("\n") if found else ("", "", "")
        return (etag, content) if found else None

    def keep_page(self, name: str, etag: str, content: str) -> None:
        with self._connection.translated():
            self._redis.hset(self._keys.roster, name, f"{etag}\n{content}")
            self._redis.expire(self._keys.roster, PAGES_LIFETIME)

    def due(self) -> list[Round]:
        """What is to be looked at now, what has waited longest first."""
        now = self._connection.now() * 1000
        with self._connection.translated():
            names = list(map(text, self._redis.zrangebyscore(self._keys.repositories, "-inf", now)))
            stirred = self._redis.zmscore(self._keys.stirred, names) if names else []
        quiet = [None if moved is None else max(0.0, (now - float(moved)) / 1000) for moved in stirred]
        return list(map(Round, names, quiet))

    def plan(self, seconds: dict[str, float]) -> None:
        """Look at each of these again after so many seconds. Say it before you look: a hint meanwhile counts."""
        now = self._connection.now() * 1000
        with self._connection.translated():
            self._redis.zadd(
                self._keys.repositories, {name: now + 1000 * wait for name, wait in seconds.items()}, xx=True
            )

    def hasten(self, repositories: Iterable[str] | None = None) -> None:
        """Look at these now; at all when none are named."""
        now = self._connection.now() * 1000
        with self._connection.translated():
            every = self._redis.zrange(self._keys.repositories, 0, -1) if repositories is None else repositories
            names = [text(name) for name in every]
            if names:
                self._redis.zadd(self._keys.repositories, dict.fromkeys(names, now), xx=True, lt=True)

    def stirred(self, count: int) -> frozenset[str]:
        """The repositories where something moved last."""
        with self._connection.translated():
            return frozenset(map(text, self._redis.zrevrange(self._keys.stirred, 0, count - 1)))

    def turn(self, name: str, seconds: float) -> bool:
        """Whether something was last done at least so long ago; saying yes makes this the last time."""
        with self._connection.translated():
            return bool(self._redis.set(self._keys.turn(name), 1, nx=True, px=max(1, int(seconds * 1000))))

    def again(self, name: str) -> None:
        """It is its turn at once."""
        with self._connection.translated():
            self._redis.delete(self._keys.turn(name))

    @property
    def pace(self) -> int:
        """How many times longer than usual to wait between two looks."""
        with self._connection.translated():
            found = self._redis.get(self._keys.pace)
        return int(found) if found else 1

    def slow_down(self) -> int:
        """Halve the rate, for an hour."""
        slower = min(self.pace * 2, SLOWEST)
        with self._connection.translated():
            self._redis.set(self._keys.pace, slower, ex=PACE_LIFETIME)
        return slower

    @property
    def told_by_app(self) -> bool:
        """Whether webhooks of an App, which tell of every repository, have been arriving."""
        with self._connection.translated():
            return bool(self._redis.exists(self._keys.heard))


class Sweeping:
    """A sweep in progress."""

    def __init__(self, connection: RedisConnection, keys: Keys, owner: str) -> None:
        self._connection = connection
        self._key = keys.sweep
        self._owner = owner
        self._prolong = connection.script("prolong")

    def prolong(self) -> None:
        """The sweep goes on."""
        with self._connection.translated():
            self._prolong(keys=[self._key], args=[self._owner, LEASE])
