"""Deployments cannot drift from the code: settings, queues, and who may do what."""

import re
import subprocess
from collections.abc import Iterable

import pytest

from entropy.celery import app
from entropy.settings import load, variables
from tests.deploy.manifests import ROOT, Process, chart_processes, check_chart, compose, compose_processes

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module", params=["compose", "chart"])
def processes(request: pytest.FixtureRequest) -> list[Process]:
    if request.param == "compose":
        return list(compose_processes(compose()))
    return list(chart_processes(check_chart({"github": {"repositories": ["acme/widgets"]}})["documents"]))


def _workers(processes: Iterable[Process]) -> list[Process]:
    return [process for process in processes if "worker" in process.arguments]


def test_settings_load_as_they_are_deployed(processes: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    for process in processes:
        with monkeypatch.context() as environment:
            for name, value in process.variables.items():
                environment.setenv(name, value)
            environment.delenv("ENTROPY_REDIS__PASSWORD_FILE", raising=False)  # it is not on this machine
            assert load(process.variables).redis.url


def test_every_queue_is_served_and_no_other(processes: list[Process]) -> None:
    served = [queue for worker in _workers(processes) for queue in sorted(worker.queues)]
    assert sorted(served) == sorted(queue.name for queue in app.conf.task_queues)


def test_no_worker_serves_both_sides(processes: list[Process]) -> None:
    for worker in _workers(processes):
        untrusted = {queue for queue in worker.queues if "." not in queue and queue != "scheduling"}
        assert untrusted in (set(), worker.queues), worker.name


def test_tokens_and_container_api_are_apart(processes: list[Process]) -> None:
    for process in processes:
        untrusted = any("." not in queue and queue != "scheduling" for queue in process.queues)
        assert process.has_container_api == untrusted, process.name
        if untrusted or not process.queues:
            assert process.tokens == set(), process.name


def test_control_workers_hold_the_tokens_of_their_queues_and_no_other(processes: list[Process]) -> None:
    for worker in _workers(processes):
        roles = {queue.removesuffix(".control") for queue in worker.queues if queue.endswith(".control")}
        wanted = roles | ({"scheduler"} if "scheduling" in worker.queues else set())
        assert worker.tokens == wanted, worker.name


def test_beat_and_reaper_are_there(processes: list[Process]) -> None:
    commands = [argument for process in processes for argument in process.arguments]
    assert (commands.count("beat"), commands.count("reaper"), commands.count("flower")) == (1, 1, 1)


def test_every_variable_named_anywhere_is_a_setting() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", "compose", "k8s", "ops", ".ci", ".github", "Dockerfile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    named = {
        (file, name)
        for file in tracked
        for name in re.findall(r"\bENTROPY_[A-Z0-9]\w*", (ROOT / file).read_text())
        if not name.startswith("ENTROPY_SECRET_")
    }
    assert named
    assert {(file, name) for file, name in named if name not in variables()} == set()
