"""All that is ours is restarted in the middle of the work, at once or one by one; nobody does anything else."""

import json
import shutil
from pathlib import Path

import pytest

from tests.chaos.schedule import Pace
from tests.chaos.trial import Plan, durable
from tests.services import require

RUNS = 12
ROOM = 8
"""The default capacity."""

pytestmark = [pytest.mark.bubblewrap, pytest.mark.redis]


@pytest.mark.parametrize("blow", ["everything", "rolling restart"])
def test_each_issue_is_merged_once(blow: str, tmp_path: Path) -> None:
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    pace = Pace(recurring=frozenset(), once=((0.3, blow),), forge=False)
    row = durable(Plan(runs=RUNS, seed=1, minutes=3, pace=pace, long_every=4, long_seconds=15, verbose=False), tmp_path)
    counts = [row[name] for name in ("exact", "incomplete", "duplicated", "leaked")]
    assert counts == [RUNS, 0, 0, 0], json.dumps(row, indent=1)
    assert row["strikes"] == {blow: 1}
    assert 0 < row["most_in_flight"] <= ROOM
