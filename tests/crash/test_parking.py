"""An agent that gives up: its worker dies at each point, and the item is parked once."""

from pathlib import Path

import pytest

from tests.chaos.work import tasks
from tests.crash.conftest import DyingCluster, dying_cluster
from tests.crash.points import AROUND_A_WRITE, BETWEEN_STEPS, STAGES

POINTS = frozenset(
    [f"{stage}.{step}" for stage in STAGES for step in BETWEEN_STEPS]
    + [f"{write}.{step}" for write in ("status", "notice", "hand_over", "release") for step in AROUND_A_WRITE]
)
ITEMS = 6


@pytest.mark.timeout(300)
def test_what_cannot_be_done_is_said_once_wherever_the_worker_dies(tmp_path: Path) -> None:
    more = {"CRASH_ONCE": ",".join(POINTS), "ENTROPY_SCHEDULING__MAX_ATTEMPTS": str(len(POINTS) + 1)}
    with dying_cluster(tmp_path, tasks(1, over=1, every=0, seconds=0), more=more) as cluster:
        cluster.repository.get_issue(1).edit(labels=[])
        numbers = [cluster.file_issue("No recipe is for this", "entropy:code").number for _ in range(ITEMS)]
        parked = {"entropy:parked"}
        cluster.until(
            lambda: all(cluster.labels(each) == parked for each in numbers), what="all are parked", seconds=150
        )
        cluster.until(lambda: not cluster.left(), what="all runs are over", seconds=90)
        assert {path.name for path in (tmp_path / "crash" / "died").iterdir()} == POINTS
        for number in numbers:
            ((author, body),) = cluster.comments(number)
            assert (author, "No engine can work on this" in body) == ("entropy-coder", True)
            assert labelled(cluster, number) == ["entropy:parked"]


def labelled(cluster: DyingCluster, number: int) -> list[str]:
    """The labels that were ever set after the one that started it."""
    events = cluster.repository.get_issue(number).get_events()
    return [event.label.name for event in events if event.event == "labeled"][1:]
