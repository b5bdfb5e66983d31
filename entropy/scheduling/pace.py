"""When a repository is looked at again: the longer nothing moved there, the later, and each at a time of its own."""

import hashlib

from entropy.settings import SchedulingSettings

LATENESS = 0.05
"""By how much of the interval the look that a beat brings may be late."""
SHARE = 10
"""A repository is looked at again after a tenth of the time that it has been quiet."""


def period(settings: SchedulingSettings, quiet: float | None, *, slower: int, longest: float) -> float:
    """Seconds between two looks. `quiet`: seconds since something moved, None when nothing ever did."""
    most = max(settings.interval, longest)
    wanted = most if quiet is None else min(max(settings.interval, quiet / SHARE), most)
    return wanted * slower


def longest_period(settings: SchedulingSettings, repositories: int, *, told: bool) -> float:
    """What even a quiet repository waits no longer than. `told`: webhooks tell of every change anyway."""
    if told:
        return settings.quiet_interval
    # An unchanged answer is free: as long as they are few, all may be asked at every beat.
    if repositories <= settings.watched:
        return settings.interval
    # Among many, a repository that falls due is looked at with the next beat, which may be late.
    return settings.sweep_interval - settings.interval * (1 + LATENESS)


def until_turn(repository: str, seconds: float, *, now: float, interval: float) -> float:
    """Seconds until the repository's turn in a cycle of so many; the turns of many are spread over the cycle.

    What is looked at with every beat is due before the next one comes, however regular beats are.
    """
    if seconds <= interval:
        return seconds / 2
    turn = int.from_bytes(hashlib.sha256(repository.encode()).digest()[:6]) / 2**48 * seconds
    return seconds - (now - turn) % seconds
