"""The labels by which people, and a stop on their behalf, hold agents back from an item."""

from collections.abc import Iterable

STOP = "entropy:stop"
PAUSED = "entropy:paused"
HANDED_OVER = "entropy:handed-over"

RESTING = (STOP, PAUSED, HANDED_OVER)


def resting(labels: Iterable[str]) -> str | None:
    """The label because of which no run begins on an item, if there is one."""
    there = set(labels)
    return next((label for label in RESTING if label in there), None)
