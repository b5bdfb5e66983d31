"""A signal unwinds the demo once, and leaves nothing changed."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from entropy.cli.demo.processes import Children
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


def lose_a_signal_then_check(folder: Path) -> None:
    with interruptible() as interruption, Children(folder, interruption) as children:
        with suppress(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)
        children.check()


def test_an_interruption_that_was_lost_is_raised_again(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        lose_a_signal_then_check(tmp_path)


def hold_a_signal(done: list[str]) -> None:
    with interruptible() as interruption:
        with interruption.held():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("held")
        interruption.check()
        done.append("checked")


def test_a_signal_is_held_while_a_process_is_started() -> None:
    done = list[str]()
    with pytest.raises(Interrupted):
        hold_a_signal(done)
    assert done == ["held"]
