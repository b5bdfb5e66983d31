"""The folders of a bucket through which an installation speaks to its tasks: one per sandbox, named after its run."""

from typing import Any, NamedTuple

from entropy.sandbox.backends import aws
from entropy.sections import EcsSettings

BATCH = 1000


class BucketFolder(NamedTuple):
    """What a bucket holds of one sandbox."""

    run: str
    token: str
    since: float
    """When its latest object was written, in seconds since 1970 on AWS's clock."""
    keys: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.run}/{self.token}"


class BucketFolders:
    """Below ``prefix/owner/``: a folder per run, in it one per sandbox, in it one per task."""

    def __init__(self, s3: Any, settings: EcsSettings, owner: str) -> None:
        self._s3 = s3
        self._bucket = settings.bucket
        self._home = f"{settings.prefix.strip('/')}/{owner}/"

    def path(self, run: str, token: str, part: str) -> str:
        return f"{self._home}{run}/{token}/{part}"

    def all(self, run: str = "") -> list[BucketFolder]:
        """Those of one run, or of all."""
        objects: dict[tuple[str, str], list[Any]] = {}
        with aws.translated():
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._home}{run}/" if run else self._home
            )
            for thing in (thing for page in pages for thing in page.get("Contents", ())):
                name, *rest = thing["Key"].removeprefix(self._home).split("/", 2)
                if len(rest) > 1:
                    objects.setdefault((name, rest[0]), []).append(thing)
        return [
            BucketFolder(
                name,
                token,
                max(thing["LastModified"].timestamp() for thing in things),
                tuple(thing["Key"] for thing in things),
            )
            for (name, token), things in objects.items()
        ]

    def remove(self, folder: BucketFolder) -> None:
        for first in range(0, len(folder.keys), BATCH):
            keys = [{"Key": key} for key in folder.keys[first : first + BATCH]]
            with aws.translated():
                self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True})
