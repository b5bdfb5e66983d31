"""The short form of ``ops/chaos``: a few issues, one seed, less than a minute."""

import json
import shutil
from pathlib import Path

import pytest

from tests.chaos.schedule import Pace
from tests.chaos.trial import Plan, durable
from tests.services import require

RUNS = 6

pytestmark = [pytest.mark.bubblewrap, pytest.mark.redis]


def test_every_issue_is_merged_once_whatever_dies(tmp_path: Path) -> None:
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    once = (
        (0.15, "redis kill"),
        (0.3, "worker group"),
        (0.4, "receiver away"),
        (0.45, "redis flush"),
        (0.6, "worker main"),
    )
    plan = Plan(
        runs=RUNS,
        seed=1,
        repositories=2,
        minutes=2,
        pace=Pace(mean=8, freeze=12, once=once),
        long_every=0,
        verbose=False,
    )
    row = durable(plan, tmp_path)
    counts = [row[name] for name in ("exact", "incomplete", "duplicated", "leaked")]
    assert counts == [RUNS, 0, 0, 0], json.dumps(row, indent=1)
    assert row["settled"]
    arrived = [row["webhooks"].get(end, 0) > 0 for end in ("delivered", "delivered twice", "lost")]
    assert arrived == [True, True, True], json.dumps(row, indent=1)
