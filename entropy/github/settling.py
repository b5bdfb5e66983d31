"""Settling: the forge tells times in whole seconds, and within one an item can change back to what it looked like.

So what changed a moment ago counts as another state than the same a few seconds later, and is looked at once more.
"""

from collections.abc import Iterable
from datetime import datetime

SETTLED = 3
"""Seconds of the forge's clock, whose servers differ a little, after which nothing happens under a time any more."""
YOUNG = "young"


def state(at: str, clock: float, *told: str) -> str:
    """What tells two states of an item apart, changed `at` that time; `clock` is the forge's when it answered."""
    young = [YOUNG] if clock - datetime.fromisoformat(at).timestamp() < SETTLED else []
    return " ".join([at, *told, *young])


def settled(states: Iterable[str]) -> bool:
    return not any(state.endswith(YOUNG) for state in states)
