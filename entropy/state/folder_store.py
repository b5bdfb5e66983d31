"""Large artifacts in a folder that all workers share."""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from entropy.errors import ConfigurationError, TransientError

CHUNK = 1024 * 1024
PART = ".part"
"""How the name of a file ends that is not all there."""


class FolderStore:
    """One file for each name, below `folder`, which is made when it is first needed."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        if not self._folder.is_absolute():
            raise ConfigurationError(f"ENTROPY_ARTIFACTS__URL is {str(folder)!r}; name the folder by absolute path.")

    def put(self, name: str, source: BinaryIO) -> None:
        path = self._folder / name
        with self._translated():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(exist_ok=True)
            with _replacing(path) as part:
                shutil.copyfileobj(source, part, CHUNK)

    def get(self, name: str, target: BinaryIO) -> bool:
        with self._translated():
            try:
                source = (self._folder / name).open("rb")
            except FileNotFoundError:
                return False
            with source:
                shutil.copyfileobj(source, target, CHUNK)
        return True

    def holds(self, name: str) -> bool:
        with self._translated():
            return (self._folder / name).is_file()

    def delete(self, name: str) -> None:
        with self._translated():
            (self._folder / name).unlink(missing_ok=True)

    def ages(self) -> Iterator[tuple[str, float]]:
        if not self._folder.is_dir():
            return
        with self._translated():
            now = self._now()
            for path in self._folder.glob("*/*"):
                with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                    yield path.relative_to(self._folder).as_posix(), now - path.stat().st_mtime

    def _now(self) -> float:
        """By the clock of the machine where the folder is, which may be another."""
        with tempfile.TemporaryFile(dir=self._folder) as file:
            file.write(b"now")
            file.flush()
            return os.fstat(file.fileno()).st_mtime

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PermissionError:
            raise ConfigurationError(
                f"This worker may not use the artifacts in {self._folder}; see whose it is, or set"
                " ENTROPY_ARTIFACTS__URL."
            ) from None
        except OSError as error:
            raise TransientError(f"The artifacts in {self._folder} cannot be reached: {error}.") from error


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name once it is written, and on the disk."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART}")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
