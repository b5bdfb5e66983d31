"""A signal unwinds the demo once, and leaves nothing changed."""

import os
import signal

import pytest

from entropy.cli.demo.signals import Interrupted, interruptible


def stop_twice(number: signal.Signals, cleaned: list[bool]) -> None:
    with interruptible():
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), number)
            cleaned.append(True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_unwinds_once_and_a_second_one_does_not_disturb_the_clean_up(number: signal.Signals) -> None:
    before, cleaned = signal.getsignal(number), list[bool]()
    with pytest.raises(Interrupted) as caught:
        stop_twice(number, cleaned)
    assert caught.value.code == 128 + number
    assert cleaned == [True]
    assert signal.getsignal(number) is before
