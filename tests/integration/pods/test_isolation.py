"""A Pod is as closed as a container is: the same attacks, and those that only a Pod is open to."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from entropy.errors import PolicyViolation
from entropy.sandbox.backends.cluster import Cluster
from entropy.sandbox.backends.pod_cell import PodCell
from entropy.sandbox.backends.pods import COLLECTOR, LIVES
from entropy.sandbox.belongings import Kind
from entropy.sandbox.command import Command
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend
from entropy.sandbox.policy import SandboxPolicy
from tests.integration.pods.conftest import PodsPlace
from tests.integration.sandbox.places import until
from tests.integration.sandbox.test_hostile_tree import (  # noqa: F401 - they run here
    test_special_files_are_passed_over,
    test_work_that_goes_on_is_ended_before_collecting,
)
from tests.integration.sandbox.test_hostile_work import (  # noqa: F401
    test_a_fork_bomb_stays_inside,
    test_a_memory_bomb_stays_inside,
    test_killing_everything_inside_ends_the_sandbox_not_the_work,
)
from tests.integration.sandbox.test_leftovers import (  # noqa: F401
    WORKER,
    test_a_run_that_is_opened_again_replaces_what_was_left,
    test_a_sandbox_that_is_kept_stays_until_its_run_is_over,
    test_an_error_in_the_stage_leaves_nothing,
    test_closing_leaves_nothing,
)
from tests.integration.sandbox.trees import tar

pytestmark = pytest.mark.docker


@pytest.fixture
def cell(place: PodsPlace, run_id: str) -> Iterator[PodCell]:
    settings = place.settings
    with closing(Cluster(settings.kubernetes)) as cluster:
        cell = PodCell(cluster, SandboxPolicy.of(settings), settings.kubernetes, owner=settings.owner, run=run_id)
        cell.make()
        yield cell
        cell.remove()
    assert place.remains() == []


def said(words: str, *, seconds: float = 20) -> Command:
    return Command(["sh", "-c", words], seconds=seconds, keep=(10_000, 10_000))


def test_every_pod_is_made_with_every_restriction(place: PodsPlace, backend: Backend, run_id: str) -> None:
    with backend.open(run_id):
        body = place.store.created[-1]
    spec = body["spec"]
    assert (spec["restartPolicy"], spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (
        "Never",
        False,
        False,
    )
    assert spec["securityContext"]["seccompProfile"] == {"type": "Localhost", "localhostProfile": "entropy.json"}
    assert spec["securityContext"]["runAsUser"] == 10001
    assert (spec["dnsPolicy"], spec["shareProcessNamespace"]) == ("None", False)
    assert spec["activeDeadlineSeconds"] > place.settings.timeout
    assert [container["name"] for container in spec["containers"]] == [*LIVES, COLLECTOR]
    for container in spec["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert set(container["resources"]["limits"]) == {"memory", "cpu", "ephemeral-storage"}
        (workspace, tmp) = container["volumeMounts"]
        assert workspace["readOnly"] == (container["name"] == COLLECTOR)
        assert tmp["name"] == f"tmp-{container['name']}"
    assert all(volume["emptyDir"]["medium"] == "Memory" for volume in spec["volumes"])


def test_full_volumes_stay_inside(backend: Backend, run_id: str) -> None:
    fill = "cd $0; for i in 1 2 3 4 5; do head -c 20m /dev/zero > part$i || s=9; done; rm part*; exit ${s:-0}"
    with backend.open(run_id) as sandbox:
        for folder in ("/workspace", "/tmp", "/dev/shm"):
            assert sandbox.exec(["sh", "-c", fill, folder]).exit_status == 9, folder
        limits = sandbox.exec(["sh", "-c", "ulimit -c; ulimit -Hn; ulimit -Hf"]).stdout.split()
    assert limits == ["0", "4096", str(64 * 2048)]


def test_a_command_has_an_environment_of_its_own(
    backend: Backend, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_of_the_worker")
    with backend.open(run_id) as sandbox:
        seen = sandbox.exec(["sh", "-c", "cat /proc/*/environ /proc/*/cmdline; cat /proc/self/mountinfo"]).stdout
        names = {line.split("=")[0] for line in sandbox.exec(["env"]).stdout.split()}
        trusted = sandbox.exec(["sh", "-c", "git init -q . && git status --short"])
    assert "ghs_of_the_worker" not in seen
    of_git = {"GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"}
    assert names - of_git == {"PATH", "HOME", "LANG", "CI", "PYTHONDONTWRITEBYTECODE"}
    assert trusted.exit_status == 0, trusted.stderr


def test_a_runtime_that_waits_for_what_was_left_behind_is_not_waited_for(place: PodsPlace, cell: PodCell) -> None:
    place.store.held = True
    done = said("echo out; echo problem >&2; exit 3")
    assert cell.work(done).status == 3
    assert (done.stdout.text(), done.stderr.text()) == ("out\n", "problem\n")


def test_the_collector_is_out_of_reach(cell: PodCell) -> None:
    """Neither sees the processes of the other, and it cannot write where untrusted work does."""
    cell.work(said("echo x > x; setsid sleep 77 &"))
    looked = said("cat x; grep -l sleep /proc/[0-9]*/comm | wc -l; echo y > y || echo refused; ls /tmp | wc -l")
    assert cell.inspect(looked).status == 0
    assert looked.stdout.text().split() == ["x", "1", "refused", "0"]  # the one sleep is its own
    assert cell.work(found := said("grep -l sleep /proc/[0-9]*/comm | wc -l")).status == 0
    assert found.stdout.text().split() == ["1"]


def test_who_keeps_a_life_from_ending_loses_all_that_it_made(cell: PodCell) -> None:
    """The line that ends it is stolen; nothing is collected where untrusted work may be alive."""
    thief = "setsid sh -c 'trap \"\" TERM; while :; do cat < /proc/1/fd/0 > /dev/null; done' &"
    assert cell.work(said(f"kill -STOP $(grep -l sh /proc/[2-9]/comm | cut -d/ -f3 | head -1); {thief}")).status == 0
    cell.end_seconds = 2
    cell.kill()
    with pytest.raises(PolicyViolation, match="did not end when it was told to"):
        cell.inspect(said("true"))
    with pytest.raises(PolicyViolation, match="did not end when it was told to"):
        cell.work(said("true"))


def test_a_life_is_over_by_the_nodes_word_before_anything_is_collected(place: PodsPlace, cell: PodCell) -> None:
    cell.work(said("while :; do date >> alive; sleep 0.02; done &"))
    cell.kill()
    states = [list(one["state"]) for pod in place.store.pods.values() for one in pod["status"]["containerStatuses"]]
    assert states.count(["terminated"]) == 1
    looked = said("wc -c < alive; sleep 0.3; wc -c < alive")
    cell.inspect(looked)
    before, after = looked.stdout.text().split()
    assert before == after


def test_a_killed_worker_leaves_a_pod_that_ends_by_itself_or_is_reaped(
    place: PodsPlace, backend: Backend, run_id: str
) -> None:
    argv = [sys.executable, "-c", WORKER, place.settings.model_dump_json(), run_id, "55"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=dict(os.environ)) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == b"ready\n"
        worker.send_signal(signal.SIGKILL)
    (found,) = backend.belongings()
    assert (found.kind, found.run) == (Kind.POD, run_id)
    assert backend.reap({run_id}) == []
    assert backend.reap({"another"}) == [found.name]
    assert place.remains() == []


def test_a_pod_whose_time_is_over_goes_by_the_clock_of_the_server(
    place: PodsPlace, backend: Backend, run_id: str
) -> None:
    with backend.open(run_id) as sandbox:
        sandbox.keep()
    (pod,) = place.store.pods.values()
    made = pod["metadata"]["creationTimestamp"]
    assert backend.reap({run_id}) == []
    pod["metadata"]["creationTimestamp"] = made.replace(made[:4], str(int(made[:4]) - 1))
    assert backend.reap({run_id}) == [pod["metadata"]["name"]]
    assert place.remains() == []


def test_where_there_is_an_agent_sandbox_it_makes_the_pod(place: PodsPlace, backend: Backend, run_id: str) -> None:
    place.store.offers_sandboxes = True
    with backend.open(run_id) as sandbox:
        (made,) = place.store.sandboxes.values()
        assert (made["apiVersion"], made["kind"]) == ("agents.x-k8s.io/v1beta1", "Sandbox")
        assert made["spec"]["podTemplate"]["spec"] == place.store.created[-1]["spec"]
        assert (made["spec"]["shutdownPolicy"], made["spec"]["shutdownTime"][-1]) == ("Delete", "Z")
        sandbox.put(tar({"a": b"1\n"}))
        assert sandbox.exec(["sh", "-c", "echo 2 > a"]).exit_status == 0
        assert b"+2" in sandbox.collect()
        sandbox.keep()
    assert len(backend.reap(set())) == 1  # the Sandbox too, or there would be another Pod
    until(lambda: not place.remains())


def test_agent_sandboxes_can_be_done_without(place: PodsPlace, run_id: str) -> None:
    place.store.offers_sandboxes = True
    kubernetes = place.settings.kubernetes.model_copy(update={"agent_sandbox": "never"})
    with make_backend(place.settings.model_copy(update={"kubernetes": kubernetes})).open(run_id):
        assert not place.store.sandboxes
        assert place.store.pods
