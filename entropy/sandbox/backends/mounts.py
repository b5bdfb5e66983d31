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


def namespace(stage: Path, shown: Mapping[Path, Path], kept: Collection[str]) -> int:
    """Show files and folders of this machine below `stage`, to whoever enters; gives the open namespace.

    It lasts for as long as it is open or somebody is inside. Of other mounts it has those at, above and below `kept`.
    """
    stage.mkdir(mode=0o755, exist_ok=True)
    opened: list[int] = []
    failed: list[Exception] = []

    def make() -> None:
        try:
            opened.append(_made(stage, shown, kept))
        except (OSError, SandboxUnavailable) as error:
            failed.append(error)

    # A thread may leave the mounts of its process, and takes nobody along.
    maker = threading.Thread(target=make)
    maker.start()
    maker.join()
    if failed:
        raise SandboxUnavailable(f"The bubblewrap sandbox cannot show its folders: {failed[0]}") from failed[0]
    return opened[0]


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
