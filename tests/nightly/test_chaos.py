"""The whole of ``ops/chaos``, for a machine that has the night for it: half an hour, only when it is named."""

import json
import shutil
from pathlib import Path

import pytest

from tests.chaos.trial import Plan, durable
from tests.services import require

RUNS = 200

pytestmark = [pytest.mark.bubblewrap, pytest.mark.redis, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_issue_is_merged_once_whatever_dies(seed: int, tmp_path: Path) -> None:
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    row = durable(Plan(runs=RUNS, seed=seed), tmp_path)
    counts = [row[name] for name in ("exact", "incomplete", "duplicated", "leaked")]
    assert counts == [RUNS, 0, 0, 0], json.dumps(row, indent=1)
    assert row["settled"]
