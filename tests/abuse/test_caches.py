"""What runs share is no way from one to another: dependency caches, and the artifacts that runs leave."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from entropy.errors import IllegalStep, PolicyViolation
from entropy.items import Setup
from entropy.models import WorkItem
from entropy.sandbox import packing
from entropy.sandbox.caches import Caches, Provision, locks_of
from entropy.sandbox.factory import caches_of
from entropy.sandbox.interface import Backend, Sandbox
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import SandboxSettings, Settings
from entropy.state.keys import Keys
from entropy.wiring import Toolbox
from tests.abuse import archives, caches
from tests.abuse.attack import WON, Attack, Verdict, inside, judged, outside
from tests.abuse.conftest import INODES, Note, new_run
from tests.abuse.machine import Machine
from tests.integration.sandbox.places import Place
from tests.integration.sandbox.test_caches import MAKE

LOCKS = locks_of({"requirements.txt": b"six==1.17.0\n"})


class Larder(NamedTuple):
    """The caches of the backend under attack."""

    backend: Backend
    caches: Caches
    policy: SandboxPolicy

    def made(self, *command: str, repository: str = "acme/widgets") -> Provision:
        setup = Setup(command=command, files=("requirements.txt",))
        return self.caches.provide(setup, LOCKS, self.policy, run_id=new_run(), repository=repository)

    def attacked(self, attack: Attack, *arguments: object) -> Verdict:
        """What a setup comes to that does this; what is not kept has won nothing."""
        provision = self.made("python3", "-c", attack.program, *map(str, arguments))
        if provision.complaint and provision.result is None:
            return Verdict("made, and not kept", "")
        assert provision.result is not None, "it is not made anew"
        return judged(provision.result)

    def shown(self, provision: Provision) -> SandboxPolicy:
        assert provision.name, provision
        return self.policy.model_copy(update={"cache": provision.name})


@pytest.fixture(scope="module")
def larder(place: Place, backend: Backend) -> Iterator[Larder]:
    found = caches_of(backend)
    assert found is not None
    settings = SandboxSettings.model_validate({**place.settings.model_dump(), "inodes": INODES})
    yield Larder(backend, found, SandboxPolicy.of(settings))
    found.clear()


@pytest.fixture(scope="module")
def fed(larder: Larder, machine: Machine) -> Iterator[Sandbox]:
    """A run with a cache, in which there is a link to the worker's token."""
    token = json.loads(machine.target)["file"]
    with larder.backend.open(new_run(), larder.shown(larder.made("sh", "-c", f"{MAKE}; ln -s {token} secret"))) as run:
        yield run


@pytest.mark.parametrize("attack", caches.SETUPS, ids=lambda attack: attack.name)
def test_setup(larder: Larder, place: Place, attack: Attack, note: Note, tmp_path: Path) -> None:
    for name in ("evil.py", "of-another"):
        (tmp_path / name).touch()
    control = outside(attack, tmp_path, tmp_path)
    assert control.won, f"the control shows nothing: {control}"
    larder.made("touch", "of-another")
    note(attack, larder.attacked(attack, place.settings.directory))


@pytest.mark.parametrize("attack", [*caches.WRITES, caches.LINK], ids=lambda attack: attack.name)
def test_run(fed: Sandbox, machine: Machine, attack: Attack, note: Note, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    subprocess.run(["sh", "-c", MAKE], cwd=tmp_path, check=True)
    (tmp_path / "secret").symlink_to(json.loads(machine.target)["file"])
    control = outside(attack, tmp_path, tmp_path)
    assert control.won, f"the control shows nothing: {control}"
    assert fed.exec(["hello"]).stdout == "hello\n"
    note(attack, inside(fed, attack, "/cache"))


def test_foreign(larder: Larder, note: Note) -> None:
    command = ("sh", "-c", "date +%s%N > of-another")
    mine, theirs = (larder.made(*command, repository=name) for name in ("acme/evil", "acme/victim"))
    seen = []
    for provision in (mine, theirs, larder.made(*command, repository="acme/victim")):
        with larder.backend.open(new_run(), larder.shown(provision)) as run:
            seen.append(inside(run, caches.FOREIGN, "/cache"))
    assert seen[1] == seen[2], "the control shows nothing"
    note(caches.FOREIGN, seen[0] if seen[0] == seen[1] else Verdict("a cache of its own", ""))


CRAFTED = [
    *archives.REFUSED,
    (
        Attack("archive: a link, and a file through it", archives.ELSEWHERE, ""),
        lambda: archives.packed(archives.member("a", tarfile.SYMTYPE, "/tmp"), archives.member("a/evil")),
    ),
    (
        Attack("archive: a setuid program", "the rights of its owner", ""),
        lambda: archives.packed(archives.member("program", mode=0o4755)),
    ),
]


@pytest.mark.parametrize("case", CRAFTED, ids=lambda case: case[0].name)
def test_crafted(larder: Larder, case: tuple[Attack, archives.Make], note: Note) -> None:
    """As if what makes the tar had been won over; that these archives do harm is shown where snapshots are attacked."""
    attack = case[0]._replace(name=case[0].name.replace("archive", "cache: packed as"))
    try:
        packing.check(io.BytesIO(case[1]()), larder.policy)
    except PolicyViolation:
        note(attack, Verdict("refused", ""))
    else:
        note(attack, Verdict(WON, "unpacked"))


@pytest.fixture
def tools(redis_server: str) -> Iterator[Toolbox]:
    tools = Toolbox(Settings.model_validate({"redis": {"url": redis_server}}))
    with closing(tools.connection):
        yield tools


def test_artifact(shared: Sandbox, tools: Toolbox, note: Note, tmp_path: Path) -> None:
    run = tools.runs.admit(WorkItem(repository="acme/victim", number=1), "coder")[1]
    digest = tools.artifacts.put(run, b"a patch")
    key = Keys(tools.settings.redis.prefix).artifacts(run)
    url = urlsplit(tools.settings.redis.url)
    target = json.dumps([url.port, url.password, key, digest])
    control = outside(caches.ARTIFACT, tmp_path, target)
    assert control.won, f"the control shows nothing: {control}"
    note(caches.ARTIFACT, inside(shared, caches.ARTIFACT, target))


def test_named(tools: Toolbox, note: Note) -> None:
    theirs, mine = (
        tools.runs.admit(WorkItem(repository=f"acme/{name}", number=1), "coder")[1] for name in ("victim", "evil")
    )
    digest = tools.artifacts.put(theirs, b"a patch")
    assert tools.artifacts.get(theirs, digest) == b"a patch", "the control shows nothing"
    try:
        got = tools.artifacts.get(mine, digest)
    except IllegalStep:
        note(caches.NAMED, Verdict("refused", ""))
    else:
        note(caches.NAMED, Verdict(WON, repr(got)))
