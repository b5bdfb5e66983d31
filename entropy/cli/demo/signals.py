"""Ctrl-C, SIGTERM and a closed terminal: each unwinds the demo once, so that it always cleans up behind itself."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(SystemExit):
    """A signal asked the demo to end; the exit status is the shell's way to say which."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


class Interruption:
    """Whether a signal has asked the demo to end."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._held = False

    def arrive(self, number: int, _frame: FrameType | None) -> None:
        """The first signal unwinds; those that follow must not disturb the clean-up."""
        if self._number is None:
            self._number = number
            if not self._held:
                raise Interrupted(number)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, a signal waits for the next `check`: what it raises in a hook of the interpreter would be lost."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def check(self) -> None:
        """Raise for a signal that was held, or lost on its way."""
        if self._number is not None:
            raise Interrupted(self._number)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Inside, an ending signal raises `Interrupted`; afterwards, signals are as they were."""
    interruption = Interruption()
    before = {number: signal.signal(number, interruption.arrive) for number in ENDINGS}
    try:
        yield interruption
    finally:
        for number, action in before.items():
            signal.signal(number, action)
