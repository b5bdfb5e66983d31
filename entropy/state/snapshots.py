"""Snapshots: made and kept once for each commit of a repository, and lent to the runs that need it."""

import hashlib
import io
import secrets
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from entropy.errors import StaleGeneration
from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys
from entropy.state.lifetimes import LIFETIME, STRAY
from entropy.state.objects import Objects

FOLDER = "snapshots"
"""The first part of their names."""
SWEEP_SECONDS = 600.0
STRAYS_SECONDS = 6 * 3600.0


class Snapshots:
    """By source, which names repository and commit: what is of one repository is never lent for another."""

    def __init__(self, connection: RedisConnection, keys: Keys, objects: Objects, *, keep: float) -> None:
        """`keep`: seconds for which a snapshot that nobody uses is there for the next one."""
        self._connection = connection
        self._keys = keys
        self._objects = objects
        self._unused = int(keep * 1000)
        self._lend = connection.script("lend")
        self._forget = connection.script("forget")

    def find(self, run_id: str, source: str) -> str | None:
        """The digest under which the run now has the snapshot among its artifacts; None where it has to be made."""
        place, digest = self._lent(run_id, source)
        if place and not self._objects.holds(place):
            with self._connection.translated():
                self._connection.redis.delete(self._keys.snapshot(source))
            return None
        return digest or None

    def share(self, run_id: str, source: str, content: BinaryIO) -> str:
        """Keep a snapshot for all; another's, if that was quicker. The digest, as `find` has it."""
        content.seek(0)
        digest = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]  # reads it only
        made = self._objects.put(_name(source), content, size=content.seek(0, io.SEEK_END))
        try:
            place, digest = self._lent(run_id, source, made, digest)
        except StaleGeneration:
            self._objects.delete(made)
            raise
        if place != made:
            self._objects.delete(made)
        return digest

    def _lent(self, run_id: str, source: str, place: str = "", digest: str = "") -> tuple[str, str]:
        keys = self._keys
        with self._connection.translated():
            answer = self._lend(
                keys=[keys.run(run_id), keys.places(run_id), keys.objects, keys.snapshot(source)],
                args=[LIFETIME, self._unused, source, place, digest],
            )
        status, *lent = map(text, answer)
        if status == "over":
            raise StaleGeneration
        return (lent[0], lent[1]) if lent else ("", "")

    def sweep(self, live: Iterable[str]) -> list[str]:
        """Throw away what nobody has used for long, unless one of these runs has it; the places of it.

        Ask for the live runs before: what is lent afterwards is not swept.
        """
        used = self._used(live)
        swept = []
        for place, source in self._due():
            if place in used:
                self._prolong(place, source)
                continue
            self._objects.holds(place)  # whoever cannot reach it must not forget it
            if self._forgotten(place, source):
                self._objects.delete(place)
                swept.append(place)
        return swept

    def sweep_strays(self) -> list[str]:
        """Throw away what lies in the store since before anybody can have begun to use it: Redis has forgotten it."""
        strays = [place for place, age in self._objects.ages() if age > STRAY]
        for place in strays:
            self._objects.delete(place)
        return strays

    def due(self, what: str, seconds: float) -> bool:
        """Whether it was last done at least so long ago, by anybody; saying yes makes this the last time."""
        with self._connection.translated():
            return bool(self._connection.redis.set(self._keys.turn(what), 1, nx=True, px=max(1, int(seconds * 1000))))

    def _used(self, live: Iterable[str]) -> set[str]:
        with self._connection.translated(), self._connection.redis.pipeline(transaction=False) as pipeline:
            for run_id in live:
                pipeline.hvals(self._keys.places(run_id))
            return {text(place) for places in pipeline.execute() for place in places}

    def _due(self) -> Iterator[tuple[str, str]]:
        now = self._connection.now() * 1000
        with self._connection.translated():
            members = self._connection.redis.zrangebyscore(self._keys.objects, "-inf", now)
        for member in members:
            place, _, source = text(member).partition(" ")
            yield place, source

    def _prolong(self, place: str, source: str) -> None:
        until = self._connection.now() * 1000 + self._unused
        with self._connection.translated():
            self._connection.redis.zadd(self._keys.objects, {f"{place} {source}": until}, xx=True, gt=True)

    def _forgotten(self, place: str, source: str) -> bool:
        keys = [self._keys.objects, self._keys.snapshot(source)]
        with self._connection.translated():
            return bool(self._forget(keys=keys, args=[place, source]))


def _name(source: str) -> str:
    """Of no other object, so that throwing away an old one of the same source cannot hit a new one."""
    return f"{FOLDER}/{hashlib.sha256(source.encode()).hexdigest()[:32]}-{secrets.token_hex(8)}.tar.zst"
