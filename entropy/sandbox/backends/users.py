"""Which user of the machine a sandbox is: one of its own, since the kernel counts some of what there is per user."""

import contextlib
import fcntl
import random
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from entropy.errors import SandboxUnavailable

LOCKS = Path("/run/entropy-sandbox.users")
"""One file per user that ever was one; locked while one is."""


def free(users: range, taken: Collection[int] = ()) -> Iterator[int]:
    """Those who are not taken, in an order of chance, so that two who ask at once seldom meet.

    Raises `SandboxUnavailable` at the end.
    """
    rest = [user for user in users if user not in taken]
    yield from random.sample(rest, len(rest))
    raise SandboxUnavailable(
        "Each user that a sandbox may be is one already; widen ENTROPY_SANDBOX__UIDS, or start fewer at once."
    )


@contextlib.contextmanager
def lent(users: range) -> Iterator[int]:
    """A user that no other sandbox on this machine is, until the end of the ``with`` or of this process."""
    LOCKS.mkdir(mode=0o700, exist_ok=True)
    for user in free(users):
        with (LOCKS / str(user)).open("w") as lock:
            if _is_locked(lock):
                yield user
                return


def _is_locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
