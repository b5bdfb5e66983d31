"""Deployments cannot drift from the code: settings, queues, and who may do what."""

import configparser
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from entropy.celery import app
from entropy.github.permissions import PERMISSIONS
from entropy.github.webhooks import ON_ITEMS
from entropy.scheduling.identity import SCHEDULER
from entropy.scheduling.receiver import SECRET
from entropy.settings import load, variables
from entropy.wiring import APP_KEY, TOKEN
from tests.deploy.manifests import (
    OF_APPS,
    ROOT,
    Document,
    Process,
    chart_processes,
    check_chart,
    compose,
    compose_processes,
)

pytestmark = pytest.mark.deploy


DEPLOYMENTS: dict[str, Callable[[], Iterator[Process]]] = {
    "compose": lambda: compose_processes(compose()),
    "compose-apps": lambda: compose_processes(compose("apps.yaml", **OF_APPS)),
    "chart": lambda: _chart({"repositories": ["acme/widgets"]}),
    "chart-apps": lambda: _chart({"apps": {"*": 1234567, "coder": 7654321}}),
    "chart-pods": lambda: _chart({"repositories": ["acme/widgets"]}, sandbox={"kubernetes": {"enabled": True}}),
}
BY_HAND = {"start", "discover", "runs", "sandboxes", "rebuild", "forge", "demo"}
"""Commands of ours that people run: they end, or are for a laptop."""
SIGNATURES = f"{SCHEDULER}_{SECRET}".replace("-", "_")
"""The secret that signs webhooks, as a file."""


def _chart(github: Document, **more: Document) -> Iterator[Process]:
    return chart_processes(check_chart({"github": github, "webhooks": {"enabled": True}, **more})["documents"])


@pytest.fixture(scope="module", params=DEPLOYMENTS)
def deployment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def processes(deployment: str) -> list[Process]:
    return list(DEPLOYMENTS[deployment]())


def _workers(processes: Iterable[Process]) -> list[Process]:
    return [process for process in processes if "worker" in process.arguments]


def test_settings_load_as_they_are_deployed(processes: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    for process in processes:
        with monkeypatch.context() as environment:
            for name, value in process.variables.items():
                environment.setenv(name, value)
            environment.delenv("ENTROPY_REDIS__PASSWORD_FILE", raising=False)  # it is not on this machine
            settings = load(process.variables)
            assert settings.redis.url
            assert not settings.github.deny
            assert settings.github.allow == ("*",)


def test_every_queue_is_served_and_no_other(processes: list[Process]) -> None:
    served = [queue for worker in _workers(processes) for queue in sorted(worker.queues)]
    assert sorted(served) == sorted(queue.name for queue in app.conf.task_queues)


def test_no_worker_serves_both_sides(processes: list[Process]) -> None:
    for worker in _workers(processes):
        untrusted = {queue for queue in worker.queues if "." not in queue and queue != "scheduling"}
        assert untrusted in (set(), worker.queues), worker.name


def test_identities_and_container_api_are_apart(processes: list[Process], deployment: str) -> None:
    for process in processes:
        untrusted = any("." not in queue and queue != "scheduling" for queue in process.queues)
        reaps = deployment == "chart-pods" and process.kind == "reaper"  # what is left of Pods
        assert process.has_container_api == (untrusted or reaps), process.name
        if untrusted or not process.queues:
            assert process.identities == set(), process.name


def test_control_workers_are_the_roles_of_their_queues_and_no_other(processes: list[Process]) -> None:
    """The scheduler alone speaks for all agents where discovery runs apart, so it needs no other identity."""
    for worker in _workers(processes):
        roles = {queue.removesuffix(".control") for queue in worker.queues if queue.endswith(".control")}
        wanted = roles | ({"scheduler"} if "scheduling" in worker.queues else set())
        assert worker.identities == wanted, worker.name


def test_credentials_are_those_that_the_settings_ask_for(processes: list[Process], deployment: str) -> None:
    """Keys where roles are Apps, tokens where not: a process that finds the other one does not start to work."""
    apps = OF_APPS["ENTROPY_GITHUB__APPS"] if deployment.endswith("-apps") else ""
    name = (APP_KEY if apps else TOKEN).replace("-", "_")
    for process in processes:
        held = {secret for secret in process.secrets if "_github_" in secret}
        assert held == {f"{role}_{name}" for role in process.identities}, process.name
        if process.identities:
            assert process.variables.get("ENTROPY_GITHUB__APPS", "") == apps, process.name


def test_every_kind_of_process_has_its_place(processes: list[Process]) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    commands = re.findall(r"^(\w+) =", setup["options.entry_points"]["celery.commands"], re.MULTILINE)
    assert set(commands) > BY_HAND
    kinds = Counter(process.kind for process in processes if process.kind not in BY_HAND)
    assert kinds.pop("worker") > 1
    assert kinds == dict.fromkeys({"beat", "flower", *commands} - BY_HAND, 1)


def test_what_is_reached_from_outside_holds_one_secret(processes: list[Process]) -> None:
    holders = {process.name: process.secrets for process in processes if SIGNATURES in process.secrets}
    assert holders == {"webhooks": {"redis_password", SIGNATURES}}


def test_rights_of_apps_stand_in_the_readme() -> None:
    roles, *rows = _table(ROOT / "compose" / "README.rst", "permission")
    said = {role: {row[0]: row[column] for row in rows} for column, role in enumerate(roles) if column}
    names = {name for wanted in PERMISSIONS.values() for name in wanted}
    assert said == {role: {name: wanted.get(name, "-") for name in names} for role, wanted in PERMISSIONS.items()}


def test_events_that_are_heeded_stand_in_the_readme() -> None:
    """Those about an App's installations come to it anyway."""
    text = (ROOT / "compose" / "README.rst").read_text()
    listed = text.partition("as far as they are offered there:")[2].partition(".")[0]
    assert set(listed.replace(",", " ").split()) == ON_ITEMS | {"repository"}


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


def _table(file: Path, first: str) -> list[list[str]]:
    """The cells of the table whose head begins with `first`."""
    lines = file.read_text().partition(f"\n{first} ")[2].splitlines()
    end = [number for number, line in enumerate(lines) if line.startswith("===")][1]
    return [f"{first} {lines[0]}".split(), *(line.split() for line in lines[2:end])]
