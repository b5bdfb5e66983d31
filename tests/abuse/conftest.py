"""The sandboxes under attack, and the table at the end: attack, wanted, got on each backend."""

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend, Sandbox
from entropy.settings import SandboxSettings
from tests.abuse.attack import Attack, Verdict
from tests.abuse.machine import Machine, running
from tests.integration.sandbox.places import MARK, PLACES, Place
from tests.services import require

ROW = "abuse row"
INODES = 10_000
BOTH = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in PLACES]


@pytest.fixture(scope="session", params=BOTH)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    require(os.geteuid() == 0, "the controls of the abuse suite need root")
    with closing(PLACES[request.param](tmp_path_factory.mktemp("sandbox"))) as place:
        yield place


@pytest.fixture(scope="session")
def backend(place: Place) -> Backend:
    return make_backend(SandboxSettings.model_validate({**place.settings.model_dump(), "inodes": INODES}))


def new_run() -> str:
    return f"{MARK}-{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def machine(place: Place, redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Up before the sandboxes are, so that they could have inherited what it holds."""
    daemon = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    folder = tmp_path_factory.mktemp("machine")
    with running(folder, redis_url=redis_server, sandboxes=_sandboxes(place), daemon=daemon) as machine:
        yield machine


def _sandboxes(place: Place) -> Path:
    if place.settings.backend == "bubblewrap":
        return place.settings.directory
    asked = ["docker", "-H", place.settings.docker_host, "info", "--format", "{{.DockerRootDir}}"]
    return Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()) / "volumes"


@pytest.fixture(scope="session")
def shared(backend: Backend, machine: Machine) -> Iterator[Sandbox]:
    """One sandbox for all attacks that leave nothing behind."""
    with backend.open(new_run()) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def greedy(backend: Backend) -> Iterator[Sandbox]:
    """Another, for attacks that take it down and that it recovers from."""
    with backend.open(new_run()) as sandbox:
        yield sandbox


@pytest.fixture
def own(backend: Backend) -> Iterator[Sandbox]:
    """A sandbox for one attack that may ruin it."""
    with backend.open(new_run()) as sandbox:
        yield sandbox


Note = Callable[[Attack, Verdict], None]


@pytest.fixture
def note(request: pytest.FixtureRequest, place: Place, record_property: Callable[[str, object], None]) -> Note:
    """Enter what came of an attack, and judge it: it fails, but where the row says that nothing stops it."""
    backend = str(place.settings.backend)

    def enter(attack: Attack, verdict: Verdict) -> None:
        got = f"absent: {attack.absent[backend]}" if backend in attack.absent else str(verdict)
        if verdict.won and backend in attack.open:
            got += f" (known: {attack.open[backend]})"
        record_property(ROW, [attack.name, attack.wanted, backend, got])
        if backend in attack.absent:
            assert verdict.won, f"the row says that {backend} does not stop it, yet it was stopped: {verdict}"
            return
        if backend in attack.open:
            request.node.add_marker(pytest.mark.xfail(reason=attack.open[backend], strict=True))
        assert not verdict.won, f"{attack.name} succeeded on {backend}: {verdict.detail}"

    return enter


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows: dict[tuple[str, str], dict[str, str]] = {}
    reports = [report for each in terminalreporter.stats.values() for report in each]
    for report in reports:
        for name, value in getattr(report, "user_properties", ()) if getattr(report, "when", "") == "call" else ():
            if name == ROW:
                attack, wanted, backend, got = value
                rows.setdefault((attack, wanted), {})[backend] = got
    if rows:
        _table(terminalreporter, rows)


def _table(out: pytest.TerminalReporter, rows: dict[tuple[str, str], dict[str, str]]) -> None:
    out.section("abuse: what the attacker wanted, what it got")
    lines: list[tuple[str, ...]] = [("attack", "wanted", "docker", "bubblewrap")]
    for (attack, wanted), got in sorted(rows.items()):
        lines.append((attack, wanted, *(got.get(name, "-") for name in ("docker", "bubblewrap"))))
    widths = [min(60, max(len(line[column]) for line in lines)) for column in range(3)]
    for line in lines:
        out.write_line("  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[3]]))
    for backend in ("docker", "bubblewrap"):
        got_there = [got.get(backend, "") for got in rows.values()]
        won = sum(got.startswith("SUCCEEDED") for got in got_there)
        absent = sum(got.startswith("absent") for got in got_there)
        out.write_line(f"{backend}: {sum(map(bool, got_there))} attacks, {won} succeeded, {absent} not limited there")
