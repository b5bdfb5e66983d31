"""Dependency caches as folders of the machine, for sandboxes that are folders themselves."""

import contextlib
import fcntl
import hashlib
import os
import platform
import secrets
import shutil
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from entropy.errors import ConfigurationError, SandboxUnavailable
from entropy.sandbox.caches import GONE, Cache, Made
from entropy.sandbox.policy import CACHE, SandboxPolicy
from entropy.settings import SandboxSettings

FOLDER = ".caches"
"""Below the sandboxes' own folder."""
CONTENT, FACTS = "content", "facts.json"
NEW = "new-"
"""How the name of a folder begins that is not complete."""
RELEASE = Path("/usr/lib/os-release")


class FolderCaches:
    """Each a folder with its content and what is known of it; when it was used is its time."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._directory = settings.directory / FOLDER
        self._shown = (settings.path, *map(str, settings.binds))

    def base(self, policy: SandboxPolicy) -> str:
        """This machine's system, which is what sandboxes show of it."""
        release = RELEASE.read_bytes() if RELEASE.exists() else b""
        told = "\n".join((platform.machine(), *self._shown)).encode() + release
        return f"bubblewrap:{hashlib.sha256(told).hexdigest()}"

    def find(self, key: str) -> str:
        folder = self._directory / key
        if not folder.is_dir():
            return ""
        with contextlib.suppress(FileNotFoundError):  # it goes at this very moment
            os.utime(folder)
            return key
        return ""

    def publish(self, archive: BinaryIO, made: Made, run_id: str) -> str:
        building = self._directory / f"{NEW}{secrets.token_hex(8)}"
        try:
            building.mkdir(mode=0o700, parents=True)
            with _held(building, fcntl.LOCK_SH):
                _unpack(archive, building / CONTENT)
                (building / FACTS).write_text(made.model_dump_json())
                with contextlib.suppress(FileExistsError):
                    _rename(building, self._directory / made.key)
        except OSError as error:
            raise ConfigurationError(
                f"{self._directory} cannot hold a dependency cache ({error.strerror}); see ENTROPY_SANDBOX__DIRECTORY."
            ) from None
        finally:
            shutil.rmtree(building, ignore_errors=True)  # another was quicker, or it came to nothing
        return made.key

    def kept(self) -> list[Cache]:
        found = []
        for folder in sorted(self._directory.iterdir()) if self._directory.is_dir() else ():
            with contextlib.suppress(FileNotFoundError):  # it goes at this very moment
                complete = not folder.name.startswith(NEW)
                made = Made.model_validate_json((folder / FACTS).read_text()) if complete else Made()
                found.append(Cache(name=folder.name, used=folder.stat().st_mtime, complete=complete, made=made))
        return found

    def remove(self, name: str) -> bool:
        """Whether it is gone; one that a sandbox uses stays."""
        folder = self._directory / name
        try:
            with _held(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
                shutil.rmtree(folder, ignore_errors=True)
        except (BlockingIOError, FileNotFoundError):
            pass
        return not folder.exists()

    def now(self) -> float:
        return time.time()


@contextlib.contextmanager
def shown(directory: Path, policy: SandboxPolicy) -> Iterator[list[tuple[Path, Path]]]:
    """What is to be bound for the policy's cache, which nobody removes before the end of the ``with``."""
    with contextlib.ExitStack() as stack:
        binds = []
        if policy.cache:
            folder = directory / FOLDER / policy.cache
            with contextlib.suppress(FileNotFoundError):
                stack.enter_context(_held(folder, fcntl.LOCK_SH))
            if not (folder / CONTENT).is_dir():
                raise SandboxUnavailable(GONE)
            binds = [(folder / CONTENT, Path(CACHE))]
        yield binds


@contextlib.contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _rename(building: Path, folder: Path) -> None:
    """Only to where nothing is."""
    try:
        building.rename(folder)
    except OSError as error:
        if folder.is_dir():
            raise FileExistsError from error
        raise


def _unpack(archive: BinaryIO, folder: Path) -> None:
    """An archive of names and links that were looked at before."""
    archive.seek(0)
    folder.mkdir(mode=0o755)
    with tarfile.open(fileobj=archive, mode="r:") as tar:
        tar.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
        tar.extractall(folder)  # noqa: S202
    folder.chmod(0o755)
