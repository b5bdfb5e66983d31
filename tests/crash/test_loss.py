"""Redis forgets everything, just after something was written to the forge."""

from pathlib import Path

import pytest

from tests.chaos.judge import Judge
from tests.chaos.work import tasks
from tests.crash.conftest import dying_cluster

POINTS = frozenset(
    f"{write}.record"
    for write in (
        "status",
        "push",
        "pull_request",
        "notice",
        "hand_over",
        "release",
        "check",
        "review",
        "ready",
        "merge",
    )
)


@pytest.mark.timeout(300)
def test_whatever_was_written_last_is_found_again_and_not_written_twice(tmp_path: Path) -> None:
    more = {
        "CRASH_FORGET": ",".join(POINTS),
        # Each loss takes a try from everything under way, and the count outlives Redis.
        "ENTROPY_SCHEDULING__MAX_TRIES": str(len(POINTS) + 1),
    }
    work = tasks(3, over=1, every=0, seconds=0)
    with dying_cluster(tmp_path, work, more=more) as cluster:
        judge = Judge(tmp_path / "forge")
        cluster.until(lambda: judge.closed() == len(work), what="all issues are closed", seconds=150)
        cluster.until(lambda: not cluster.left(), what="all runs are over")
        assert {path.name for path in (tmp_path / "crash" / "died").iterdir()} == POINTS
        assert [finding for finding in judge.findings(work) if finding.missing or finding.doubled] == []
