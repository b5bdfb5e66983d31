"""Artifacts: values too large for a record (snapshot, assignment, patch), by digest, as long as their run."""

import hashlib
import io
from typing import BinaryIO

from entropy.errors import IllegalStep, StaleGeneration
from entropy.state.connection import RedisConnection, raw, text
from entropy.state.keys import Keys
from entropy.state.lifetimes import LIFETIME
from entropy.state.objects import Objects

RUNS = "runs"
"""The first part of the names of objects that belong to one run."""


class Artifacts:
    """Bytes by run and SHA-256 digest; what is read is checked against its name."""

    def __init__(self, connection: RedisConnection, keys: Keys, objects: Objects) -> None:
        self._connection = connection
        self._keys = keys
        self._objects = objects
        self._keep = connection.script("keep")
        self._place = connection.script("place")

    def put(self, run_id: str, content: bytes) -> str:
        """The digest; raises `StaleGeneration` when the run is over or forgotten."""
        digest = hashlib.sha256(content).hexdigest()
        keys = [self._keys.run(run_id), self._keys.artifacts(run_id)]
        if len(content) > self._objects.small:
            self._put_away(run_id, digest, content)
            return digest
        with self._connection.translated():
            kept = self._keep(keys=keys, args=[digest, content, LIFETIME])
        if not kept:
            raise StaleGeneration
        return digest

    def _put_away(self, run_id: str, digest: str, content: bytes) -> None:
        place = self._objects.put(f"{RUNS}/{run_id}-{digest}", io.BytesIO(content), size=len(content))
        keys = [self._keys.run(run_id), self._keys.places(run_id), self._keys.objects]
        with self._connection.translated():
            kept = self._place(keys=keys, args=[digest, place, LIFETIME])
        if not kept:
            self._objects.delete(place)
            raise StaleGeneration

    def get(self, run_id: str, digest: str) -> bytes:
        content = io.BytesIO()
        self.read(run_id, digest, into=content)
        return content.getvalue()

    def read(self, run_id: str, digest: str, *, into: BinaryIO) -> None:
        """Write an artifact of any size to an empty file, which is at its start afterwards."""
        if not self._fetch(run_id, digest, into):
            raise IllegalStep(f"Artifact {digest[:12]} of run {run_id} is gone.")
        into.seek(0)
        if hashlib.file_digest(into, "sha256").hexdigest() != digest:  # type: ignore[arg-type]  # reads it only
            raise IllegalStep(f"Artifact {digest[:12]} of run {run_id} is not what its name says.")
        into.seek(0)

    def _fetch(self, run_id: str, digest: str, into: BinaryIO) -> bool:
        with self._connection.translated(), self._connection.redis.pipeline() as pipeline:
            pipeline.hget(self._keys.artifacts(run_id), digest)
            pipeline.hget(self._keys.places(run_id), digest)
            content, place = pipeline.execute()
        if content is not None:
            into.write(raw(content))
        return content is not None or (place is not None and self._objects.get(text(place), into))

    def drop(self, run_id: str, *, but: str | None = None) -> None:
        """Forget all of a run's artifacts, but the one with this digest. Snapshots that it was lent stay for others."""
        self._drop(self._keys.artifacts(run_id), but)
        with self._connection.translated():
            places = self._connection.redis.hgetall(self._keys.places(run_id))
        for digest, place in places.items():
            name = text(place).partition(":")[2]
            if text(digest) != but and name.startswith(f"{RUNS}/"):
                self._objects.delete(text(place))
                with self._connection.translated():
                    self._connection.redis.zrem(self._keys.objects, f"{text(place)} ")
        self._drop(self._keys.places(run_id), but)

    def _drop(self, key: str, but: str | None) -> None:
        with self._connection.translated():
            others = [name for name in self._connection.redis.hkeys(key) if text(name) != but] if but else []
            if but is None:
                self._connection.redis.delete(key)
            elif others:
                self._connection.redis.hdel(key, *others)
