"""The heartbeat of a stage: renews its lease, and stops the work when the lease is lost or the worker is to end."""

import logging
import mmap
import signal
import threading
from types import TracebackType
from typing import Self

from billiard.pool import soft_timeout_sighandler

from entropy.errors import StateUnavailable
from entropy.models import Stage
from entropy.state.runs import Lease, Runs

log = logging.getLogger(__name__)

PERIOD = 1.0
"""Seconds after which a worker that is to end is noticed at the latest."""


class Draining:
    """Whether this worker was asked to end; the main process says it, its children see it."""

    _shared = mmap.mmap(-1, 1)  # memory that outlives the fork: children read what the parent writes

    @classmethod
    def begin(cls) -> None:
        cls._shared[0] = 1

    @classmethod
    def begun(cls) -> bool:
        return cls._shared[0] == 1


class Renewal:
    """Renews from a thread for as long as the ``with`` lasts."""

    def __init__(self, lease: Lease, runs: Runs, *, lease_seconds: float) -> None:
        self._lease = lease
        self._runs = runs
        self._period = min(lease_seconds / 3, PERIOD)
        self._over = threading.Event()
        self._deciding = threading.Lock()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self.handing_back = False
        """Whether the work was stopped because the worker is to end."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._deciding:  # no interrupt is on its way once this is ours
                self._over.set()
        finally:  # one may come while we wait for it
            self._over.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._over.wait(self._period):
            if self._lease.run.stage is Stage.EXECUTE and Draining.begun() and not self.handing_back:
                self.handing_back = True
                self._interrupt("the worker is to end; its stage is handed back")
            if not self._renewed():
                self._interrupt("the lease is lost; its stage is stopped")
                return

    def _renewed(self) -> bool:
        try:
            return self._runs.renew(self._lease)
        except StateUnavailable as error:
            # Whether it is still ours will show: nothing is written to the outside without asking Redis first.
            log.warning("lease not renewed", extra={"why": str(error), "run_id": self._lease.run.id})
            return True

    def _interrupt(self, why: str) -> None:
        with self._deciding:
            if self._over.is_set():
                return
            log.warning(why, extra={"run_id": self._lease.run.id, "stage": str(self._lease.run.stage)})
            main = threading.main_thread().ident
            # Celery's own way to stop a task, there in children of a prefork pool only. In other pools the stage goes
            # on to its end, and its result is refused.
            if main is not None and signal.getsignal(signal.SIGUSR1) is soft_timeout_sighandler:
                signal.pthread_kill(main, signal.SIGUSR1)
