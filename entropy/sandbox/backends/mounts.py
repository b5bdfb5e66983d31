"""Mounts of bubblewrap sandboxes, by system calls: a program for each takes longer than what it does."""

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from entropy.errors import SandboxUnavailable

NOSUID, NODEV, BIND, RECURSIVE, PRIVATE = 0x2, 0x4, 0x1000, 0x4000, 0x40000
DETACH = 2
NEW_MOUNTS = 0x2_0000


def mount_memory(target: Path, options: str) -> None:
    """A folder whose files are in memory."""
    _call("mount", b"tmpfs", os.fsencode(target), b"tmpfs", ctypes.c_ulong(NOSUID | NODEV), options.encode())


def unmount(target: Path) -> None:
    """As soon as nobody uses it any more."""
    _call("umount2", os.fsencode(target), DETACH)


class Namespace:
    """Files and folders of this machine below `stage`, for whoever enters; there for as long as it is open or used.

    Of other mounts it has those at, above and below `kept`. It is made beside whatever its maker does meanwhile.
    """

    def __init__(self, stage: Path, shown: Mapping[Path, Path], kept: Collection[str]) -> None:
        stage.mkdir(mode=0o755, exist_ok=True)
        self._descriptor: int | None = None
        self._problem: Exception | None = None
        # A thread may leave the mounts of its process, and takes nobody along.
        self._maker = threading.Thread(target=self._make, args=(stage, shown, kept))
        self._maker.start()

    @property
    def descriptor(self) -> int:
        self._maker.join()
        if self._descriptor is None:
            raise SandboxUnavailable(
                f"The bubblewrap sandbox cannot show its folders: {self._problem or 'they are closed'}"
            ) from self._problem
        return self._descriptor

    def close(self) -> None:
        self._maker.join()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _make(self, stage: Path, shown: Mapping[Path, Path], kept: Collection[str]) -> None:
        try:
            self._descriptor = _made(stage, shown, kept)
        except (OSError, SandboxUnavailable) as error:
            self._problem = error


def _made(stage: Path, shown: Mapping[Path, Path], kept: Collection[str]) -> int:
    _call("unshare", NEW_MOUNTS)
    _call("mount", None, b"/", None, ctypes.c_ulong(RECURSIVE | PRIVATE), None)
    mount_memory(stage, "size=1m,mode=0755")
    for source, place in shown.items():
        if source.is_dir():
            place.mkdir()
        else:
            place.touch()
        flags = ctypes.c_ulong(BIND | RECURSIVE)
        _call("mount", os.fsencode(source), os.fsencode(place), None, flags, None)
    _let_go([str(stage), *kept])
    return os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)


def _let_go(kept: Collection[str]) -> None:
    """Or what others unmount, such as the files of another sandbox, would stay for as long as the namespace."""
    for line in reversed(Path("/proc/thread-self/mountinfo").read_bytes().splitlines()):
        target = line.split()[4].decode("unicode_escape")
        if not any(_is_below(target, path) or _is_below(path, target) for path in kept):
            with contextlib.suppress(SandboxUnavailable):  # gone with what it was mounted on
                unmount(Path(os.fsdecode(target.encode("latin-1"))))


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def _call(name: str, *arguments: object) -> None:
    function: Callable[..., int] = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*arguments) != 0:
        raise SandboxUnavailable(f"The bubblewrap sandbox cannot {name}: {os.strerror(ctypes.get_errno())}")
