"""A worker whose every step the test decides: it stops at each point, and goes on or ends there when it is told."""

import threading
from collections.abc import Callable

PATIENCE = 20
"""Seconds between two points; only a broken test takes them."""


class Killed(BaseException):
    """The worker's process is gone."""


class Puppet:
    """Runs `work` in a thread of its own, one stretch at a time; never two puppets at once."""

    def __init__(self, work: Callable[["Puppet"], None]) -> None:
        self.at = ""
        """The point where it stands."""
        self.over = False
        self._order: BaseException | None = None
        self._error: BaseException | None = None
        self._may_go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live, args=(work,), daemon=True)
        self._thread.start()
        self._wait()

    def reach(self, point: str) -> None:
        """Called by the work: stand here until told."""
        self.at = point
        self._stands.release()
        self._may_go.acquire()
        if self._order is not None:
            order, self._order = self._order, None
            raise order

    def go(self, order: BaseException | None = None) -> None:
        """Go on to the next point, or end with this exception where it stands."""
        self._order = order
        self._may_go.release()
        self._wait()

    def _wait(self) -> None:
        assert self._stands.acquire(timeout=PATIENCE), f"the worker never came back from {self.at}"
        if self.over:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def _live(self, work: Callable[["Puppet"], None]) -> None:
        try:
            work(self)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the test's own thread
            self._error = error
        self.over = True
        self._stands.release()
