"""Who proves sandboxes below a folder: told by a lock, which ends with its process, not by anybody's clock."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def proving(directory: Path) -> Iterator[None]:
    """Several may at once."""
    with _opened(directory) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def nobody_proves(directory: Path) -> Iterator[bool]:
    """Whether nobody does; then nobody begins to before the end of the ``with``."""
    if not directory.is_dir():
        yield True
        return
    with _opened(directory) as lock:
        yield _is_free(lock)


def _is_free(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _opened(directory: Path) -> Iterator[int]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
