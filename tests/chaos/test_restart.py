"""All that is ours dies at once, in the middle of the work, and is started again; nobody does anything else."""

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


def test_everything_restarts_amid_the_work_and_each_issue_is_merged_once(tmp_path: Path) -> None:
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    pace = Pace(recurring=frozenset(), once=((0.4, "everything"),), forge=False)
    row = durable(Plan(runs=RUNS, seed=1, minutes=3, pace=pace, long_every=6, long_seconds=6, verbose=False), tmp_path)
    counts = [row[name] for name in ("exact", "incomplete", "duplicated", "leaked")]
    assert counts == [RUNS, 0, 0, 0], json.dumps(row, indent=1)
    assert row["strikes"] == {"everything": 1}
    assert 0 < row["most_in_flight"] <= ROOM
