"""Workers whose clocks are wrong: nothing that matters is timed by them."""

import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.cluster import CONTROL, SANDBOX, Cluster
from tests.services import require

HOUR = 3600


SOURCE = Path(__file__).parent / "skew.c"


def skewed(library: Path, seconds: int) -> dict[str, str]:
    """The environment of a process whose clock is off; its monotonic clock goes on as it should."""
    if not library.exists():
        require(shutil.which("tcc"), "a C compiler (tcc)")
        subprocess.run(["tcc", "-shared", "-nostdlib", "-o", str(library), str(SOURCE)], check=True, timeout=60)
    return {"LD_PRELOAD": str(library), "CLOCK_SKEW": str(seconds)}


@pytest.mark.from_scratch
@pytest.mark.timeout(120)
def test_workers_an_hour_off_to_either_side_end_each_item_once_and_in_time(cluster: Cluster) -> None:
    """Every stage may get either worker; the forge is down for a while, so that stages are tried again later."""
    library = cluster.folder / "skew.so"
    fast, slow = skewed(library, HOUR), skewed(library, -HOUR)
    for name, clock in (("fast", fast), ("slow", slow)):
        cluster.worker(f"control-{name}", CONTROL, cluster.control() | clock)
        cluster.worker(f"sandbox-{name}", SANDBOX, cluster.sandbox() | clock)
    cluster.start("reaper-fast", "reaper", environment=cluster.sandbox() | fast)
    cluster.start("reaper-slow", "reaper", environment=cluster.sandbox() | slow)
    cluster.start("beat-fast", "beat", "--pidfile=", environment=cluster.shared() | fast)
    cluster.start("beat-slow", "beat", "--pidfile=", environment=cluster.shared() | slow)
    cluster.go_wrong(effect="502_before", method="POST", path="/pulls$", count=2)
    issue = cluster.file_issue("Slowly", "entropy:code", "recipe:slow")
    cluster.until(lambda: cluster.repository.get_issue(issue.number).state == "closed", what="the issue is closed")
    assert cluster.repository.get_pulls(state="all").totalCount == len(cluster.merged()) == 1
    assert tries(cluster, "report") == {1, 2, 3}
    assert started(cluster, "control-fast") - started(cluster, "control-slow") > timedelta(hours=1.9)


def tries(cluster: Cluster, stage: str) -> set[object]:
    """Which attempts at a stage of the coder there were."""
    lines = [*cluster.log("control-fast"), *cluster.log("control-slow")]
    begun = [line for line in lines if line["message"] == "stage started" and line["role"] == "coder"]
    return {line["attempt"] for line in begun if line["stage"] == stage}


def started(cluster: Cluster, name: str) -> datetime:
    """What time a worker took it to be when it started."""
    return datetime.fromisoformat(str(cluster.log(name)[0]["time"]).replace(",", "."))
