"""Artifacts: values too large for a record (snapshot, assignment, patch), by digest, as long as their run."""

import hashlib

from entropy.errors import IllegalStep, StaleGeneration
from entropy.state.connection import RedisConnection, raw, text
from entropy.state.keys import Keys

LIFETIME = 7 * 86400
"""Seconds after which an artifact goes even if its run never ended."""


class Artifacts:
    """Bytes by run and SHA-256 digest; what is read is checked against its name."""

    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._keep = connection.script("keep")

    def put(self, run_id: str, content: bytes) -> str:
        """The digest; raises `StaleGeneration` when the run is over or forgotten."""
        digest = hashlib.sha256(content).hexdigest()
        keys = [self._keys.run(run_id), self._keys.artifacts(run_id)]
        with self._connection.translated():
            kept = self._keep(keys=keys, args=[digest, content, LIFETIME])
        if not kept:
            raise StaleGeneration
        return digest

    def get(self, run_id: str, digest: str) -> bytes:
        with self._connection.translated():
            answer = self._connection.redis.hget(self._keys.artifacts(run_id), digest)
        if answer is None:
            raise IllegalStep(f"Artifact {digest[:12]} of run {run_id} is gone.")
        content = raw(answer)
        if hashlib.sha256(content).hexdigest() != digest:
            raise IllegalStep(f"Artifact {digest[:12]} of run {run_id} is not what its name says.")
        return content

    def drop(self, run_id: str, *, but: str | None = None) -> None:
        """Forget all of a run's artifacts, but the one with this digest."""
        key = self._keys.artifacts(run_id)
        with self._connection.translated():
            others = [name for name in self._connection.redis.hkeys(key) if text(name) != but] if but else []
            if but is None:
                self._connection.redis.delete(key)
            elif others:
                self._connection.redis.hdel(key, *others)
