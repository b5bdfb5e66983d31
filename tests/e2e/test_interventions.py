"""What an operator does with a run from the command line."""

import json
import re

from entropy.models import Stage
from tests.e2e.cluster import Cluster
from tests.e2e.test_recovery import filed_and_executing, said


def test_a_cancelled_run_stops_at_once_and_gives_everything_back(cluster: Cluster) -> None:
    cluster.split()
    issue = filed_and_executing(cluster, "recipe:long")
    (run_id,) = unfinished(cluster)
    cluster.until(lambda: sandboxes(cluster), what="the sandbox is there")
    ended = cluster.celery("runs", "cancel", run_id)
    assert (ended.returncode, ended.stdout.split()) == (0, [run_id, "report", "coder", f"acme/widgets#{issue}"])
    cluster.until(lambda: not sandboxes(cluster), what="the sandbox is gone", seconds=15)
    cluster.until(lambda: shown(cluster, run_id)["stage"] == "done", what="the run is over")
    assert cluster.labels(issue) == {"recipe:long"}
    ((author, body),) = cluster.comments(issue)
    assert author == "entropy-coder"
    assert "**The coder was stopped.**" in body
    assert "An operator cancelled this run." in body
    assert "is parked" not in body
    assert "the lease is lost; its stage is stopped" in said(cluster, "sandbox")
    assert cluster.repository.get_pulls(state="all").totalCount == 0
    again = cluster.celery("runs", "cancel", run_id)
    assert again.returncode == 1
    assert again.stderr.strip() == (
        f"Error: Run {run_id} has reached done; what it did can only be undone on the forge."
    )
    # The claim was given back: the label starts a new run, which gets to work.
    cluster.hear(
        lambda told: (told.stage, told.state, told.run_id != run_id) == (Stage.EXECUTE, "started", True),
        after=lambda: cluster.repository.get_issue(issue).add_to_labels("entropy:code"),
    )


def test_a_parked_run_leaves_its_item_to_a_person(cluster: Cluster) -> None:
    cluster.split()
    issue = filed_and_executing(cluster, "recipe:long")
    (run_id,) = unfinished(cluster)
    assert cluster.celery("runs", "park", run_id).returncode == 0
    cluster.until(lambda: shown(cluster, run_id)["stage"] == "done", what="the run is over")
    assert cluster.labels(issue) == {"recipe:long", "entropy:parked"}
    ((_, body),) = cluster.comments(issue)
    assert "An operator parked this item." in body
    assert "set `entropy:code` again" in body


def test_a_run_in_the_middle_is_tried_again_at_once_and_its_worker_stopped(cluster: Cluster) -> None:
    cluster.split()
    issue = filed_and_executing(cluster, "recipe:long")
    (run_id,) = unfinished(cluster)
    again = cluster.hear(
        lambda told: (told.run_id, told.stage, told.state) == (run_id, Stage.EXECUTE, "started"),
        after=lambda: cluster.celery("runs", "retry", run_id),
    )
    assert again.generation == 2
    cluster.until(lambda: "the lease is lost; its stage is stopped" in said(cluster, "sandbox"), what="it is stopped")
    assert cluster.celery("runs", "cancel", run_id).returncode == 0
    cluster.until(lambda: cluster.labels(issue) == {"recipe:long"}, what="the label is gone")
    assert cluster.repository.get_pulls(state="all").totalCount == 0


def test_a_finished_run_is_started_anew(cluster: Cluster) -> None:
    cluster.split()
    issue = cluster.file_issue("Do it", "entropy:code", "recipe:fails")
    cluster.until(lambda: "entropy:parked" in cluster.labels(issue.number), what="the issue is parked")
    cluster.until(lambda: not unfinished(cluster), what="the run is over")
    (line,) = cluster.celery("runs", "list").stdout.splitlines()
    done = cluster.celery("runs", "retry", line.split()[0])
    new = done.stdout.split()[0]
    assert (done.returncode, new != line.split()[0]) == (0, True)
    cluster.until(lambda: shown(cluster, new)["stage"] == "done", what="the new run is over")
    assert shown(cluster, new)["outcome"]["verdict"] == "gave_up"


def test_a_run_that_nobody_knows_is_one_sentence(cluster: Cluster) -> None:
    for word in ("cancel", "park", "retry", "show"):
        done = cluster.celery("runs", word, "nobody")
        assert done.returncode == 1
        assert done.stderr.strip() == "Error: There is no run nobody; list them with: celery -A entropy runs list"


def unfinished(cluster: Cluster) -> list[str]:
    lines = cluster.celery("runs", "list", "--finished", "0").stdout
    return re.findall(r"^([0-9a-f]{32}) ", lines, re.MULTILINE)


def shown(cluster: Cluster, run_id: str) -> dict[str, object]:
    return dict(json.loads(cluster.celery("runs", "show", run_id).stdout))


def sandboxes(cluster: Cluster) -> list[str]:
    return [path.name for path in (cluster.folder / "sandboxes").glob("*")]
