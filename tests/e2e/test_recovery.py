"""Workers that die and workers that race."""

import json
import os
import signal

from entropy.models import Stage
from tests.e2e.cluster import CONTROL, SANDBOX, Cluster


def test_a_worker_killed_in_execute_and_started_again_merges_once(cluster: Cluster) -> None:
    cluster.split()
    issue = filed_and_executing(cluster, "recipe:slow")
    victim = cluster.started["sandbox"]
    cluster.children.release(victim)
    os.killpg(victim.popen.pid, signal.SIGKILL)
    victim.popen.wait()
    again = cluster.hear(
        lambda told: (told.stage, told.state) == (Stage.EXECUTE, "started"),
        after=lambda: cluster.worker("sandbox-again", SANDBOX, cluster.sandbox()),
    )
    assert again.generation > 1
    cluster.until(lambda: closed(cluster, issue), what="the issue is closed")
    assert len(cluster.merged()) == 1
    assert cluster.repository.get_pulls(state="all").totalCount == 1
    assert not list((cluster.folder / "sandboxes").iterdir())


def test_a_worker_that_is_asked_to_end_hands_its_stage_back_with_what_it_has(cluster: Cluster) -> None:
    cluster.split()
    issue = filed_and_executing(cluster, "recipe:long")
    written = "*/workspace/widgets/long.py"
    cluster.until(lambda: list((cluster.folder / "sandboxes").glob(written)), what="the agent has written something")
    victim = cluster.started["sandbox"]
    cluster.children.release(victim)
    handed_back = cluster.hear(lambda told: told.note == "handed back", after=victim.popen.terminate)
    assert victim.popen.wait(timeout=10) == 0
    shown = json.loads(cluster.celery("runs", "show", handed_back.run_id).stdout)
    assert (shown["stage"], shown["tries"]["execute"], len(shown["partial"])) == ("execute", 0, 64)
    assert not list((cluster.folder / "sandboxes").iterdir())
    again = cluster.hear(
        lambda told: (told.stage, told.state) == (Stage.EXECUTE, "started"),
        after=lambda: cluster.worker("sandbox-again", SANDBOX, cluster.sandbox()),
    )
    assert again.run_id == handed_back.run_id
    assert cluster.labels(issue) == {"entropy:code", "recipe:long"}


def test_what_a_worker_had_in_its_sandbox_can_be_kept_when_it_ends(cluster: Cluster) -> None:
    cluster.worker("control", CONTROL, cluster.control())
    cluster.worker("sandbox", SANDBOX, cluster.sandbox() | {"ENTROPY_SANDBOX__ON_SHUTDOWN": "keep"})
    cluster.beat()
    cluster.start("reaper", "reaper", environment=cluster.sandbox())
    filed_and_executing(cluster, "recipe:long")
    written = "*/workspace/widgets/long.py"
    cluster.until(lambda: list((cluster.folder / "sandboxes").glob(written)), what="the agent has written something")
    victim = cluster.started["sandbox"]
    cluster.children.release(victim)
    handed_back = cluster.hear(lambda told: told.note == "handed back", after=victim.popen.terminate)
    assert victim.popen.wait(timeout=10) == 0
    assert [path.read_text() for path in (cluster.folder / "sandboxes").glob(written)] == ["long = True\n"]
    assert cluster.celery("runs", "cancel", handed_back.run_id).returncode == 0
    cluster.until(lambda: not list((cluster.folder / "sandboxes").iterdir()), what="it goes with its run")


REVOKE = """
import sys
from entropy.celery import app
app.control.revoke(sys.argv[1], terminate=True, signal="SIGKILL")
"""


def test_a_stage_whose_task_somebody_revokes_is_taken_up_again(cluster: Cluster) -> None:
    """As the button of Flower does. A person who wants an end of the run cancels the run."""
    cluster.worker("control", CONTROL, cluster.control())
    cluster.worker("sandbox", SANDBOX, cluster.sandbox())
    cluster.beat()
    cluster.start("reaper", "reaper", environment=cluster.sandbox())
    issue = filed_and_executing(cluster, "recipe:slow")
    cluster.until(lambda: "stage started" in said(cluster, "sandbox"), what="its start is in the log")
    (begun,) = [line for line in cluster.log("sandbox") if line["message"] == "stage started"]
    cluster.python(REVOKE, str(begun["task_id"]), environment=cluster.sandbox())
    cluster.until(lambda: closed(cluster, issue), what="the issue is closed")
    assert "overdue run taken up" in said(cluster, "reaper")
    assert len(cluster.merged()) == cluster.repository.get_pulls(state="all").totalCount == 1
    cluster.until(lambda: not list((cluster.folder / "sandboxes").iterdir()), what="no sandbox is left")


def test_a_worker_that_was_frozen_beyond_its_lease_stops_when_it_thaws(cluster: Cluster) -> None:
    cluster.split()
    issue = filed_and_executing(cluster, "recipe:slow")
    frozen = cluster.started["sandbox"]
    os.killpg(frozen.popen.pid, signal.SIGSTOP)
    cluster.worker("other", SANDBOX, cluster.sandbox())
    cluster.until(lambda: closed(cluster, issue), what="the issue is closed")
    os.killpg(frozen.popen.pid, signal.SIGCONT)
    cluster.until(lambda: "a newer generation took over; stopped" in said(cluster, "sandbox"), what="it stops")
    assert len(cluster.merged()) == 1
    assert cluster.repository.get_pulls(state="all").totalCount == 1
    cluster.until(lambda: not list((cluster.folder / "sandboxes").iterdir()), what="no sandbox is left")


def filed_and_executing(cluster: Cluster, recipe: str) -> int:
    """File an issue; come back when its agent is at work."""
    numbers: list[int] = []
    cluster.hear(
        lambda told: (told.stage, told.state) == (Stage.EXECUTE, "started"),
        after=lambda: numbers.append(cluster.file_issue("Slowly", "entropy:code", recipe).number),
    )
    return numbers[0]


def closed(cluster: Cluster, number: int) -> bool:
    return bool(cluster.repository.get_issue(number).state == "closed")


def said(cluster: Cluster, name: str) -> list[object]:
    return [line["message"] for line in cluster.log(name)]


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
    assert [body.splitlines()[-1] for _, body in cluster.comments(issue.number)] == ["Proposed as #2."]


STAGES = ("initialize", "claim", "execute", "report", "cleanup")


def finished(cluster: Cluster, stage: str) -> int:
    lines = [line for name in ("one", "two") for line in cluster.log(name) if line.get("role") == "coder"]
    return sum(line["stage"] == stage and line["message"] == "stage finished" for line in lines)
