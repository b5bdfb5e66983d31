"""How long a repository may go without being looked at: the longer nothing moved there, the longer."""

import random

from entropy.settings import SchedulingSettings

SHARE = 10
"""A repository is looked at again after a tenth of the time that it has been quiet."""
SPREAD = 0.1
"""By how much of it a waiting time is shortened at random, so that looks spread over it."""


def waiting_time(settings: SchedulingSettings, quiet: float | None, *, slower: int, longest: float) -> float:
    """Seconds until the next look. `quiet`: seconds since something moved, None when nothing ever did."""
    most = max(settings.interval, longest)
    wanted = most if quiet is None else min(max(settings.interval, quiet / SHARE), most)
    return wanted * slower * (1 - random.random() * SPREAD)  # noqa: S311 - nothing to guess


def longest_wait(settings: SchedulingSettings, repositories: int, *, told: bool) -> float:
    """Seconds that even a quiet repository waits no longer than. `told`: webhooks tell of every change anyway."""
    if told:
        return settings.quiet_interval
    # An unchanged answer is free: as long as they are few, all may be asked at every beat.
    # Among many a repository that falls due is looked at with the next beat.
    return settings.interval if repositories <= settings.watched else settings.sweep_interval - settings.interval
