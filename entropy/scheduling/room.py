"""How much of what strangers send is held at once: a body has to be here as a whole before its signature tells."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

FREE = 2**20
"""Bytes of each body that need no room, so that a few giant ones do not keep the usual ones out."""
ROOM = 64 * 2**20
"""Bytes for the rest of all bodies."""


class Room:
    """Shared by all deliveries of a process, on one event loop."""

    def __init__(self, size: int = ROOM) -> None:
        self._left = size

    @contextmanager
    def share(self) -> Iterator[Callable[[int], bool]]:
        """Yields what tells whether a body of so many bytes may be held; at the end its room is given back."""
        taken = 0

        def holds(length: int) -> bool:
            nonlocal taken
            wanted = max(0, length - FREE) - taken
            if wanted > self._left:
                return False
            self._left -= wanted
            taken += wanted
            return True

        try:
            yield holds
        finally:
            self._left += taken
