"""What sandboxes have on the machine can be listed, and what is left over goes, whatever sort it is of."""

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery.bin.base import CLIContext
from click.testing import CliRunner

from entropy.cli.sandboxes import sandboxes
from entropy.items import Setup
from entropy.models import WorkItem
from entropy.sandbox.backends.cgroups import Cgroups, made
from entropy.sandbox.backends.folder_caches import FOLDER
from entropy.sandbox.belongings import Kind
from entropy.sandbox.caches import locks_of
from entropy.sandbox.factory import caches_of, make_backend
from entropy.sandbox.interface import Backend
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import EgressSettings, Settings
from entropy.wiring import Toolbox, equip, toolbox
from tests.integration.sandbox.places import MARK, BubblewrapPlace, Place, until
from tests.services import require

KINDS = {"docker": [Kind.CONTAINER, Kind.CONTAINER, Kind.VOLUME], "bubblewrap": [Kind.FOLDER]}
DAY = 86400


def test_what_a_sandbox_has_is_listed_with_its_run_and_time(place: Place, backend: Backend, run_id: str) -> None:
    before = time.time()
    with backend.open(run_id) as sandbox:
        for _ in range(2):  # by the second command everything is there
            sandbox.exec(["true"])
        found = [thing for thing in backend.belongings() if thing.run == run_id]
    assert sorted(thing.kind for thing in found) == KINDS[place.settings.backend]
    assert all(abs(thing.since - before) < 60 for thing in found)
    assert all(run_id in thing.name for thing in found)
    assert [thing for thing in backend.belongings() if thing.run == run_id] == []


@pytest.mark.bubblewrap
def test_a_control_group_without_a_sandbox_goes_after_a_day(tmp_path: Path, run_id: str) -> None:
    place = BubblewrapPlace(tmp_path)
    backend, groups = make_backend(place.settings), Cgroups(f"{run_id}.00000000")
    require(groups.folders, "no control group may be written")
    with make_backend(place.settings).open(f"{run_id}-kept") as sandbox:
        sandbox.keep()  # the folder in which the groups of all live
    try:
        for folder in groups.folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        found = [thing for thing in backend.belongings() if thing.run == run_id]
        assert {thing.kind for thing in found} == {Kind.CONTROL_GROUP}
        assert len(found) == len(set(groups.folders.values()))
        assert not [name for name in backend.reap({f"{run_id}-kept"}) if run_id in name]
        for folder in groups.folders.values():
            os.utime(folder, (time.time() - DAY - 1,) * 2)
        assert not [name for name in backend.reap({run_id, f"{run_id}-kept"}) if run_id in name]
        assert len([name for name in backend.reap({f"{run_id}-kept"}) if run_id in name]) == len(found)
        assert not [group for group in made() if group.name.startswith(f"{run_id}.0")]
    finally:
        groups.remove()
        backend.reap(set())


@pytest.mark.bubblewrap
def test_a_process_whose_folder_is_gone_is_ended(tmp_path: Path, run_id: str) -> None:
    place = BubblewrapPlace(tmp_path)
    backend, folder = make_backend(place.settings), place.settings.directory / f"{run_id}.00000000"
    (folder / "workspace").mkdir(parents=True)
    binds = ("--ro-bind", "/", "/", "--bind", str(folder / "workspace"), "/tmp")
    with subprocess.Popen(["bwrap", *binds, "sleep", "60"]) as process:
        try:
            until(lambda: len(list(Path(f"/proc/{process.pid}/task/{process.pid}").glob("children"))) == 1)
            assert not [thing for thing in backend.belongings() if thing.kind is Kind.PROCESS]
            (folder / "workspace").rmdir()
            folder.rmdir()
            found = {thing.name: thing.run for thing in backend.belongings() if thing.kind is Kind.PROCESS}
            assert found[str(process.pid)] == run_id
            assert not [name for name in backend.reap({run_id}) if name.startswith("process")]
            assert f"process {process.pid}" in backend.reap(set())
            assert process.wait(10) == -9
        finally:
            process.kill()


@pytest.mark.bubblewrap
def test_the_socket_of_a_way_out_is_listed_and_goes(tmp_path: Path, run_id: str) -> None:
    egress = EgressSettings(directory=tmp_path / "egress")
    settings = BubblewrapPlace(tmp_path).settings.model_copy(update={"egress": egress})
    left = egress.directory / "0123456789abcdef"
    left.mkdir(parents=True)
    (left / "run").write_text(run_id)
    backend = make_backend(settings)
    (found,) = [thing for thing in backend.belongings() if thing.kind is Kind.SOCKET]
    assert (found.name, found.run) == (left.name, run_id)
    assert backend.reap({run_id}) == []
    assert backend.reap(set()) == [left.name]
    assert not left.exists()


@pytest.fixture
def tools(tmp_path: Path, redis_url: str) -> Iterator[Toolbox]:
    """This process's toolbox, with bubblewrap."""
    place = BubblewrapPlace(tmp_path)
    settings = Settings.model_validate({"redis": {"url": redis_url}, "sandbox": place.settings.model_dump()})
    equip(lambda: Toolbox(settings))
    tools = toolbox()
    yield tools
    tools.sandboxes.reap(set())
    tools.connection.close()
    equip(lambda: Toolbox(Settings()))


@pytest.mark.redis
@pytest.mark.bubblewrap
def test_a_person_lists_and_reaps(tools: Toolbox) -> None:
    run_id = tools.runs.admit(WorkItem(repository="acme/widgets", number=1), "coder")[1]
    live = f"{run_id}-{tools.runs.get(run_id).generation}"
    dead = f"{MARK}-{uuid.uuid4().hex}-1"
    for name in (live, dead):
        with tools.sandboxes.open(name) as sandbox:
            sandbox.keep()
    lines = {line.split()[3]: line.split() for line in said("list")}
    assert [(lines[name][0], lines[name][2]) for name in (live, dead)] == [("folder", "live"), ("folder", "dead")]
    removed = said("reap")
    assert len(removed) == 1
    assert removed[0].startswith(dead)
    assert [line.split()[3] for line in said("list") if line.split()[0] == "folder"] == [live]


@pytest.mark.redis
@pytest.mark.bubblewrap
def test_a_person_sees_dependency_caches_and_reaps_the_old(tools: Toolbox) -> None:
    caches, policy = caches_of(tools.sandboxes), SandboxPolicy.of(tools.settings.sandbox)
    assert caches is not None
    setup, locks = Setup(command=("true",), files=("a",)), locks_of({"a": b"1\n"})
    name = caches.provide(setup, locks, policy, run_id=f"{MARK}-cache", repository="acme/widgets").name
    assert said("reap") == []
    (line,) = [line.split() for line in said("list") if line.startswith("cache ")]
    assert line[2:] == ["kept", "-", name, "acme/widgets"]
    os.utime(tools.settings.sandbox.directory / FOLDER / name, (time.time() - 15 * DAY,) * 2)
    assert said("reap") == [name]
    assert not [line for line in said("list") if line.startswith("cache ")]


def said(command: str) -> list[str]:
    context = CLIContext(Celery(set_as_current=False), no_color=True, workdir=None, quiet=False)
    done = CliRunner().invoke(sandboxes, [command], obj=context)
    assert done.exit_code == 0, done.output
    return done.output.splitlines()
