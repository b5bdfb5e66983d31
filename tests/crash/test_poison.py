"""A run that kills whatever worker takes it up."""

import re
from pathlib import Path

import pytest

from tests.chaos.work import tasks
from tests.crash.conftest import dying_cluster

ATTEMPTS, TRIES = 2, 2


@pytest.mark.timeout(300)
def test_what_kills_its_worker_each_time_is_parked_with_its_history(tmp_path: Path) -> None:
    few = {
        "ENTROPY_SCHEDULING__MAX_ATTEMPTS": str(ATTEMPTS),
        "ENTROPY_SCHEDULING__MAX_TRIES": str(TRIES),
        "CRASH_ALWAYS": "execute.begun",
    }
    work = tasks(1, over=1, every=0, seconds=0)
    with dying_cluster(tmp_path, work, more=few) as cluster:
        number = work[0].number
        cluster.until(lambda: "entropy:parked" in cluster.labels(number), what="the issue is parked", seconds=120)
        cluster.until(lambda: not cluster.left(), what="the run is over")
        assert cluster.labels(number) == {"entropy:parked", f"recipe:{number}"}
        ((_, body),) = cluster.comments(number)
        assert "**The coder could not finish.**" in body
        assert f"The stage execute was begun {ATTEMPTS} times and never finished." in body
        assert re.search(rf"^\* begun: .*\bexecute {ATTEMPTS + 1}\b", body, re.MULTILINE), body
        assert "set `entropy:code` again" in body
        assert len(list((tmp_path / "crash" / "died").iterdir())) == ATTEMPTS * TRIES
        assert not list((tmp_path / "sandboxes").glob("*"))
        assert cluster.repository.get_pulls(state="all").totalCount == 0
