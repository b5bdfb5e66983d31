"""Where large artifacts lie: in Redis, or in the store that the settings name."""

import importlib
from collections.abc import Iterator
from functools import cached_property
from typing import BinaryIO, Protocol, cast

from entropy.errors import ConfigurationError
from entropy.sections import ArtifactSettings
from entropy.state.connection import RedisConnection
from entropy.state.folder_store import FolderStore
from entropy.state.keys import Keys
from entropy.state.redis_store import RedisStore

REDIS, STORE = "redis", "store"
"""The first word of a place; the second is a name."""


class ObjectStore(Protocol):
    """Contents by name. A name is given once, to one content."""

    def put(self, name: str, source: BinaryIO) -> None:
        """Keep what `source` holds from where it stands; under its name there is all of it or nothing."""

    def get(self, name: str, target: BinaryIO) -> bool:
        """Write the content to `target`; False when there is none."""

    def holds(self, name: str) -> bool:
        """Whether there is content of this name."""

    def delete(self, name: str) -> None:
        """Have no content of this name, whether there was some or not."""

    def ages(self) -> Iterator[tuple[str, float]]:
        """What does not go by itself: each name, and for how many seconds, by the store's clock, it has been there."""


class Objects:
    """Redis for what is small, and for everything where there is no other store."""

    def __init__(self, connection: RedisConnection, keys: Keys, settings: ArtifactSettings) -> None:
        self._settings = settings
        self._redis = RedisStore(connection, keys, limit=settings.redis_mib * 2**20)

    @property
    def small(self) -> int:
        """Bytes up to which an artifact stays in Redis."""
        return self._settings.small_kib * 1024

    def put(self, name: str, source: BinaryIO, *, size: int) -> str:
        """Keep `size` bytes from the start of `source`; returns the place."""
        source.seek(0)
        kind = REDIS if size <= self.small or not self._settings.url else STORE
        self._store(kind).put(name, source)
        return f"{kind}:{name}"

    def get(self, place: str, target: BinaryIO) -> bool:
        kind, _, name = place.partition(":")
        return self._store(kind).get(name, target)

    def holds(self, place: str) -> bool:
        kind, _, name = place.partition(":")
        return self._store(kind).holds(name)

    def delete(self, place: str) -> None:
        kind, _, name = place.partition(":")
        self._store(kind).delete(name)

    def ages(self) -> Iterator[tuple[str, float]]:
        """The places of what is in the store, and for how many seconds it has been there."""
        if self._settings.url:
            for name, age in self._external.ages():
                yield f"{STORE}:{name}", age

    def _store(self, kind: str) -> ObjectStore:
        return self._redis if kind == REDIS else self._external

    @cached_property
    def _external(self) -> ObjectStore:
        if not self._settings.url:
            raise ConfigurationError(
                "An artifact lies in a store that this worker does not know; set ENTROPY_ARTIFACTS__URL as on the"
                " worker that put it there."
            )
        return make_store(self._settings)


def make_store(settings: ArtifactSettings) -> ObjectStore:
    """The store that `settings.url` names."""
    scheme, separator, rest = settings.url.partition("://")
    if not separator or (scheme == "file" and rest.startswith("/")):
        return FolderStore(rest if separator else settings.url)
    if scheme != "s3" or not rest.strip("/"):
        raise ConfigurationError(
            f"ENTROPY_ARTIFACTS__URL is {settings.url!r}; name a folder by its path or file:///path, or a bucket as"
            " s3://bucket/prefix."
        )
    try:
        bucket = importlib.import_module("entropy.state.bucket_store")
    except ImportError as error:
        raise ConfigurationError(
            f"Artifacts in a bucket need the package {error.name}; install entropy-agents[s3]."
        ) from None
    return cast(ObjectStore, bucket.BucketStore(rest, endpoint=settings.endpoint))
