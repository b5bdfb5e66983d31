"""Ctrl-C, SIGTERM and a closed terminal: each unwinds the demo once, so that it always cleans up behind itself."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(SystemExit):
    """A signal asked the demo to end; the exit status is the shell's way to say which."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    ignore()  # the clean-up that follows is not to be interrupted half-way
    raise Interrupted(number)


def ignore() -> None:
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, an ending signal raises `Interrupted`; afterwards, signals are as they were."""
    before = {number: signal.signal(number, _interrupt) for number in ENDINGS}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
