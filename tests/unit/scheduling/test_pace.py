"""How often a repository is looked at."""

import pytest

from entropy.scheduling.pace import longest_period, period, until_turn
from entropy.settings import SchedulingSettings

SETTINGS = SchedulingSettings()


@pytest.mark.parametrize(
    ("quiet", "seconds"), [(0, 30), (300, 30), (600, 60), (7200, 720), (10**6, 1800), (None, 1800)]
)
def test_the_longer_it_is_quiet_the_longer_it_waits(quiet: float | None, seconds: float) -> None:
    assert period(SETTINGS, quiet, slower=1, longest=1800) == seconds


def test_a_forge_that_asks_for_it_is_asked_half_as_often() -> None:
    assert period(SETTINGS, 0, slower=2, longest=1800) == 60


def test_few_are_asked_at_every_beat_and_many_within_three_minutes_unless_webhooks_tell() -> None:
    assert longest_period(SETTINGS, 200, told=False) == SETTINGS.interval
    # Up to a beat passes between the turn of a repository and the look.
    assert longest_period(SETTINGS, 201, told=False) + SETTINGS.interval * 1.05 == 180
    assert longest_period(SETTINGS, 1, told=True) == 1800


def test_turns_come_once_in_a_cycle_and_are_spread_over_it() -> None:
    names = [f"acme/r{number}" for number in range(1000)]
    turns = [until_turn(name, 150, now=1_000_000, interval=30) for name in names]
    assert all(0 < turn <= 150 for turn in turns)
    per_beat = [sum(30 * beat < turn <= 30 * (beat + 1) for turn in turns) for beat in range(5)]
    assert all(150 < count < 250 for count in per_beat)
    for name, turn in zip(names, turns, strict=True):
        assert until_turn(name, 150, now=1_000_000 + turn + 1, interval=30) == pytest.approx(149, abs=1e-4)


def test_what_is_looked_at_with_every_beat_is_due_whenever_the_next_one_comes() -> None:
    names = [f"acme/r{number}" for number in range(100)]
    assert {until_turn(name, 30, now=1_000_000, interval=30) for name in names} == {15}
