"""One connection of a sandbox, from its first byte to its line in the audit trail."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from entropy.sandbox.egress.bounds import Allowance
from entropy.sandbox.egress.verdicts import EgressVerdict, Phase

audit = logging.getLogger("entropy.audit.egress")
LONGEST = 120


class Passage:
    """Counts, keeps the time, and remembers what was asked for."""

    def __init__(self, *, run_id: str, phase: Phase, allowance: Allowance) -> None:
        self.phase = phase
        self.bounds = allowance.bounds
        self.verdict = EgressVerdict.BROKEN
        self.answered = False
        """Whether the sandbox has begun to hear something: a refusal in words would come too late."""
        self._host = ""
        self._run_id = run_id
        self._allowance = allowance
        self._silence: asyncio.Timeout | None = None
        self._started = time.monotonic()
        self._sent = self._received = 0

    @contextlib.asynccontextmanager
    async def timed(self) -> AsyncIterator[None]:
        """Inside the ``with`` the clocks run; raises `TimeoutError`. The first step is to say what is wanted."""
        async with asyncio.timeout(self.bounds.whole), asyncio.timeout(self.bounds.head) as self._silence:
            yield

    def ask(self, host: str) -> None:
        """Note what is asked for, as it was written: it may be anything."""
        self._host = ascii(host)[1:-1][:LONGEST]

    def within(self, seconds: float) -> None:
        """The next step has so many seconds; each transfer begins such a time anew."""
        if self._silence is not None and not self._silence.expired():
            self._silence.reschedule(asyncio.get_running_loop().time() + seconds)

    def send(self, size: int) -> None:
        """Count what goes out, before it does; raises `Denied` when the sandbox has used up its share."""
        self._allowance.send(size)
        self._sent += size
        self.within(self.bounds.idle)

    def receive(self, size: int) -> None:
        self._allowance.receive(size)
        self._received += size
        self.within(self.bounds.idle)

    def record(self) -> None:
        audit.info(
            "egress",
            extra={
                "run_id": self._run_id,
                "phase": str(self.phase),
                "host": self._host,
                "verdict": str(self.verdict),
                "sent": self._sent,
                "received": self._received,
                "seconds": round(time.monotonic() - self._started, 3),
            },
        )
