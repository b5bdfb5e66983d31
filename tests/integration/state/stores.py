"""The stores of large artifacts: Redis, a folder, a bucket behind a real server."""

import hashlib
import io
from pathlib import Path
from typing import Any

from s3fs import S3FileSystem  # type: ignore[import-untyped]

from entropy.models import WorkItem
from entropy.sections import ArtifactSettings
from entropy.settings import SchedulingSettings
from entropy.state.artifacts import Artifacts
from entropy.state.connection import RedisConnection
from entropy.state.objects import Objects
from entropy.state.runs import Runs
from entropy.state.snapshots import Snapshots
from tests.integration.state.conftest import KEYS

BUCKET = "artifacts"
KINDS = ("redis", "folder", "bucket")
LARGE = hashlib.shake_128(b"large").digest(3_000_000)


class Depot:
    """All that is kept, and what one can see of it from outside."""

    def __init__(self, connection: RedisConnection, settings: ArtifactSettings) -> None:
        self.connection = connection
        self.runs = Runs(connection, KEYS, SchedulingSettings(capacity=9, capacity_per_repository=9))
        self.objects = Objects(connection, KEYS, settings)
        self.artifacts = Artifacts(connection, KEYS, self.objects)
        self.snapshots = Snapshots(connection, KEYS, self.objects, keep=settings.keep)

    def run(self, number: int = 1, repository: str = "acme/widgets") -> str:
        return self.runs.admit(WorkItem(repository=repository, number=number), "coder")[1]

    def over(self, run: str) -> None:
        """The run ends, and its worker does not know yet."""
        self.connection.redis.hset(KEYS.run(run), "stage", "done")

    def age(self) -> None:
        """All that nobody has used becomes old enough to be swept."""
        for member in self.connection.redis.zrange(KEYS.objects, 0, -1):
            self.connection.redis.zadd(KEYS.objects, {member: 1})

    def names(self) -> list[str]:
        """Of the large artifacts that there are."""
        found = [key.decode().partition(":object:")[2] for key in self.connection.redis.scan_iter("test:object:*")]
        return sorted([*found, *(place.partition(":")[2] for place, _ in self.objects.ages())])


class RedisDepot(Depot):
    def __init__(self, connection: RedisConnection, folder: Path, endpoint: str) -> None:
        super().__init__(connection, ArtifactSettings())

    def spoil(self, name: str, content: bytes) -> None:
        self.connection.redis.set(KEYS.object(name), content)


class FolderDepot(Depot):
    def __init__(self, connection: RedisConnection, folder: Path, endpoint: str) -> None:
        self.folder = folder / "artifacts"
        super().__init__(connection, ArtifactSettings(url=f"file://{self.folder}"))

    def spoil(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)


class BucketDepot(Depot):
    def __init__(self, connection: RedisConnection, folder: Path, endpoint: str) -> None:
        self.prefix = f"{BUCKET}/{folder.name}"
        self.files: Any = S3FileSystem(endpoint_url=endpoint, use_listings_cache=False, skip_instance_cache=True)
        super().__init__(connection, ArtifactSettings(url=f"s3://{self.prefix}", endpoint=endpoint))

    def spoil(self, name: str, content: bytes) -> None:
        self.files.pipe_file(f"{self.prefix}/{name}", content)


AnyDepot = RedisDepot | FolderDepot | BucketDepot
DEPOTS: dict[str, type[RedisDepot] | type[FolderDepot] | type[BucketDepot]] = dict(
    zip(KINDS, (RedisDepot, FolderDepot, BucketDepot), strict=True)
)


class Broken(io.BytesIO):
    """A file that cannot be read to its end."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() + (size or 0) > len(LARGE) // 2:
            raise OSError("the disk is gone")
        return super().read(size)


def read(depot: Depot, run: str, digest: str) -> bytes:
    content = io.BytesIO()
    depot.artifacts.read(run, digest, into=content)
    assert content.tell() == 0
    return content.read()
