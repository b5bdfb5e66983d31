"""The heartbeat of what one worker at a time does: says again and again that it is still at it."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from entropy.errors import StateUnavailable

log = logging.getLogger(__name__)


@contextmanager
def heartbeat(beat: Callable[[], None], *, lease: int) -> Iterator[None]:
    """Beat from a thread, three times within a lease of so many milliseconds, for as long as the ``with`` lasts."""
    over = threading.Event()

    def pulse() -> None:
        while not over.wait(lease / 3000):
            try:
                beat()
            except StateUnavailable as error:
                log.warning("lease not renewed", extra={"why": str(error)})

    thread = threading.Thread(target=pulse, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
