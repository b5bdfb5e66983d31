"""Workers that die and workers that race."""

import os
import signal

from entropy.models import Stage
from tests.e2e.cluster import SANDBOX, Cluster


def test_a_worker_killed_in_execute_and_started_again_merges_once(cluster: Cluster) -> None:
    cluster.split()
    victim = cluster.started["sandbox"]
    issue = None

    def file() -> None:
        nonlocal issue
        issue = cluster.file_issue("Slowly", "entropy:code", "recipe:slow")

    first = cluster.hear(lambda told: (told.stage, told.state) == (Stage.EXECUTE, "started"), after=file)
    assert first.generation == 1
    cluster.children.release(victim)
    os.killpg(victim.popen.pid, signal.SIGKILL)
    victim.popen.wait()
    again = cluster.hear(
        lambda told: (told.stage, told.state) == (Stage.EXECUTE, "started"),
        after=lambda: cluster.worker("sandbox-again", SANDBOX, cluster.sandbox()),
    )
    assert (again.run_id, again.generation) == (first.run_id, 2)
    assert issue is not None
    number = issue.number
    cluster.until(lambda: cluster.repository.get_issue(number).state == "closed", what="the issue is closed")
    assert len(cluster.merged()) == 1
    assert cluster.repository.get_pulls(state="all").totalCount == 1
    assert not list((cluster.folder / "sandboxes").glob("*/*"))


TWINS = """
import sys
from entropy.lifecycle import start
from entropy.lifecycle.starting import dispatch
from entropy.wiring import toolbox
run_id = start(sys.argv[1], role="coder")
for _ in range(5):
    dispatch(toolbox().runs.get(run_id))
"""


def test_two_workers_race_for_one_issue_and_one_has_it(cluster: Cluster) -> None:
    """Every message of the run is delivered six times, to two workers of two processes each."""
    both = {**cluster.control(), **cluster.sandbox()}
    cluster.worker("one", None, both)
    cluster.worker("two", None, both)
    issue = cluster.file_issue("Race", "recipe:header")
    cluster.python(TWINS, f"acme/widgets#{issue.number}", environment=both)
    cluster.until(lambda: finished(cluster, "cleanup"), what="the run is over")
    assert {stage: finished(cluster, stage) for stage in STAGES} == dict.fromkeys(STAGES, 1)
    assert cluster.repository.get_pulls(state="all").totalCount == 1
    assert len(cluster.comments(issue.number)) == 0


STAGES = ("initialize", "claim", "execute", "report", "cleanup")


def finished(cluster: Cluster, stage: str) -> int:
    lines = [line for name in ("one", "two") for line in cluster.log(name) if line.get("role") == "coder"]
    return sum(line["stage"] == stage and line["message"] == "stage finished" for line in lines)
