"""Large artifacts in a bucket of S3 or of what speaks like it, through fsspec; needs the package s3fs."""

import contextlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, BinaryIO

from botocore.exceptions import (  # type: ignore[import-untyped, unused-ignore]
    BotoCoreError,
    NoCredentialsError,
    PartialCredentialsError,
)
from s3fs import S3FileSystem  # type: ignore[import-untyped]

from entropy.errors import ConfigurationError, TransientError

PART = 8 * 1024 * 1024
"""Bytes that are held at once; S3 wants five MiB at least."""


class BucketStore:
    """One object for each name, below `root`, which is a bucket and perhaps a prefix.

    Credentials and region are found as every program finds them that uses AWS's own library.
    """

    def __init__(self, root: str, *, endpoint: str = "") -> None:
        self._root = root.strip("/")
        self._endpoint = endpoint

    def put(self, name: str, source: BinaryIO) -> None:
        with self._translated():
            file = self._files.open(self._path(name), "wb", autocommit=False)
            try:
                shutil.copyfileobj(source, file, PART)
                file.close()
                file.commit()
            except BaseException:
                file.closed = True  # or it would be sent when it is collected as garbage
                file.discard()
                raise

    def get(self, name: str, target: BinaryIO) -> bool:
        with self._translated():
            try:
                source = self._files.open(self._path(name), "rb")
            except FileNotFoundError:
                return False
            with source:
                shutil.copyfileobj(source, target, PART)
        return True

    def holds(self, name: str) -> bool:
        with self._translated():
            return bool(self._files.exists(self._path(name)))

    def delete(self, name: str) -> None:
        with self._translated():
            self._files.rm_file(self._path(name))

    def ages(self) -> Iterator[tuple[str, float]]:
        with self._translated():
            found: dict[str, Any] = self._files.find(self._root, detail=True)
            now = datetime.now(UTC)
            for path, facts in found.items():
                yield path.removeprefix(f"{self._root}/"), (now - facts["LastModified"]).total_seconds()

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @cached_property
    def _files(self) -> Any:
        return S3FileSystem(
            endpoint_url=self._endpoint or None,
            default_block_size=PART,
            default_cache_type="none",
            use_listings_cache=False,
            skip_instance_cache=True,
        )

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (NoCredentialsError, PartialCredentialsError):
            raise ConfigurationError(
                "There are no AWS credentials for the bucket of artifacts; give this worker a role, or set"
                " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            ) from None
        except PermissionError as error:
            raise ConfigurationError(
                f"This worker may not use s3://{self._root} ({error}); allow it to list, get, put and delete there."
            ) from None
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"There is no bucket for s3://{self._root} ({error}); make it, or set ENTROPY_ARTIFACTS__URL."
            ) from None
        except (BotoCoreError, OSError) as error:
            raise TransientError(f"The artifacts in s3://{self._root} cannot be reached: {error}") from error
