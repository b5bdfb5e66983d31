"""The points at which a worker can die: between two steps of a stage, and around each write to the outside."""

from collections.abc import Mapping
from typing import NamedTuple

STAGES = ("initialize", "claim", "execute", "report", "cleanup")
BETWEEN_STEPS = ("begun", "worked", "advanced")
AROUND_A_WRITE = ("intend", "act", "record", "recorded")
WRITES: Mapping[str, tuple[str, ...]] = {
    "coder": ("status", "push", "pull_request", "notice", "hand_over", "release"),
    "reviewer": ("status", "check", "review", "ready", "notice", "hand_over", "release"),
    "merger": ("merge", "release"),
}
DEATHS = 3
"""How many workers one run loses at most, each at another point."""


class Point(NamedTuple):
    """A line of a role's run."""

    role: str
    name: str

    def __str__(self) -> str:
        return f"{self.role}-{self.name}"


POINTS: Mapping[str, tuple[Point, ...]] = {
    role: tuple(
        Point(role, name)
        for name in (
            *(f"{stage}.{step}" for stage in STAGES for step in BETWEEN_STEPS),
            *(f"{write}.{step}" for write in writes for step in AROUND_A_WRITE),
        )
    )
    for role, writes in WRITES.items()
}
ITEMS = max(-(-len(points) // DEATHS) for points in POINTS.values())
"""How many items it takes until each point has had its death. Deaths of one run lie that many points apart: a worker
that dies right after a push leaves nothing to push, so its successor never passes the next point."""
