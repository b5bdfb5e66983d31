"""Dependency caches on real backends: made once, whole or not at all, read-only, and gone when nobody needs them."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

from entropy.errors import SandboxUnavailable
from entropy.items import Setup
from entropy.sandbox.backends.bubblewrap import BubblewrapBackend
from entropy.sandbox.backends.docker import DockerBackend
from entropy.sandbox.backends.folder_caches import FOLDER
from entropy.sandbox.belongings import Kind
from entropy.sandbox.caches import ABANDONED, DAY, Cache, Caches, Made, Provision, key_of, locks_of, stale_caches
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.factory import make_backend
from entropy.sandbox.policy import MIB, SandboxPolicy
from entropy.sections import CacheSettings, SandboxBounds, SandboxSettings
from tests.integration.sandbox.places import BubblewrapPlace, DockerPlace, Place, until

LOCKS = locks_of({"requirements.txt": b"six==1.17.0\n"})
REPOSITORY = "acme/widgets"
ONCE = "mkdir bin made; cp requirements.txt made; date +%s%N > made/at; printf '#!/bin/sh\\necho hello\\n' > bin/hello"
MAKE = f"{ONCE}; chmod +x bin/hello; ln -s hello bin/link; ln bin/hello bin/twin; ln -s /etc/hostname made/host"
Backend = BubblewrapBackend | DockerBackend
KINDS = {"docker": DockerBackend, "bubblewrap": BubblewrapBackend}


class Kitchen:
    """A backend of its own with what is made there."""

    def __init__(self, place: Place, run_id: str, **caches: Any) -> None:
        settings = place.settings.model_copy(update={"caches": CacheSettings(**caches)})
        self.backend: Backend = KINDS[settings.backend](settings)
        self.policy = SandboxPolicy.of(settings)
        self.run_id = run_id

    def made(self, script: str, *, locks: bytes = LOCKS, repository: str = REPOSITORY, run: str = "") -> Provision:
        setup = Setup(command=("sh", "-c", script), files=("requirements.txt",))
        caches: Caches = self.backend.caches
        return caches.provide(setup, locks, self.policy, run_id=run or self.run_id, repository=repository)

    def policy_with(self, provision: Provision) -> SandboxPolicy:
        assert provision.name, provision
        return self.policy.model_copy(update={"cache": provision.name})

    def names(self) -> list[str]:
        return [thing.name for thing in self.backend.belongings() if thing.kind is Kind.CACHE]


@pytest.fixture
def kitchen(place: Place, run_id: str) -> Iterator[Kitchen]:
    kitchen = Kitchen(place, run_id)
    yield kitchen
    kitchen.backend.clear()
    assert kitchen.names() == []


def test_it_is_made_once_and_shown_read_only_in_every_phase(kitchen: Kitchen, place: Place) -> None:
    first = kitchen.made(MAKE)
    assert place.remains() in ([], [FOLDER])
    with kitchen.backend.open(kitchen.run_id, kitchen.policy_with(first)) as sandbox:
        for phase in Phase:
            look = sandbox.exec(["sh", "-c", "cat $ENTROPY_CACHE/made/requirements.txt && hello && link"], phase=phase)
            assert (look.exit_status, look.stdout) == (0, "six==1.17.0\nhello\nhello\n"), look.stderr
            for script in (
                "echo x > /cache/new",
                "echo x >> /cache/made/at",
                "rm -f /cache/made/at",
                "chmod 777 /cache",
            ):
                assert sandbox.exec(["sh", "-c", script], phase=phase).exit_status != 0
        (mount,) = [
            line.split() for line in sandbox.exec(["cat", "/proc/mounts"]).stdout.splitlines() if "/cache" in line
        ]
        assert "ro" in mount[3].split(",")
        at = sandbox.exec(["cat", "/cache/made/at"]).stdout
        assert sandbox.collect() == b""
    again = kitchen.made(MAKE)
    assert (again.name, again.result) == (first.name, None)
    with kitchen.backend.open(kitchen.run_id, kitchen.policy_with(again)) as sandbox:
        assert sandbox.exec(["cat", "/cache/made/at"]).stdout == at
    assert [name.split()[-1] for name in kitchen.names()] == [REPOSITORY]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo to no avail >&2; touch left; exit 3", ""),
        ("head -c 100m /dev/zero > full", ""),
        ("i=0; while : > f$i; do i=$((i + 1)); done", ""),
        ("for i in 1 2 3; do truncate -s 40M holes$i || exit 9; done", "more than a workspace holds"),
        ("cp /bin/true lent; chmod 4755 lent", "'./lent' would lend rights to whoever runs it"),
        ("mkfifo pipe", "'./pipe' is neither a file, a folder nor a link"),
        ("mkdir closed; touch closed/in; chmod 0 closed", "it cannot be read"),
    ],
    ids=["failed", "full", "many", "holes", "setuid", "pipe", "closed"],
)
def test_what_did_not_succeed_or_is_not_to_be_had_is_not_kept(
    kitchen: Kitchen, place: Place, script: str, why: str
) -> None:
    provision = kitchen.made(script)
    assert provision.name == ""
    assert why in provision.complaint
    assert (provision.result is None) is bool(why)
    if provision.result is not None and "avail" in script:
        assert (provision.result.exit_status, provision.result.stderr) == (3, "to no avail\n")
    assert kitchen.names() == []
    assert place.remains() in ([], [FOLDER])


def test_who_stays_behind_does_not_change_it_afterwards(kitchen: Kitchen) -> None:
    stir = "while :; do for file in f*; do rm $file; echo 2 > $file; done; done"
    provision = kitchen.made(f"for i in $(seq 3000); do echo 1 > f$i; done; ({stir}) > /dev/null 2>&1 &")
    with kitchen.backend.open(kitchen.run_id, kitchen.policy_with(provision)) as sandbox:
        before = sandbox.exec(["ls", "-lA", "--full-time", "/cache"]).stdout
        assert sandbox.exec(["sh", "-c", "sleep 0.2; ls -lA --full-time /cache"]).stdout == before


def test_two_that_make_the_same_each_have_one_and_whoever_comes_later_the_same(kitchen: Kitchen) -> None:
    found: dict[int, Provision] = {}
    workers = [
        threading.Thread(
            target=lambda number: found.update({number: kitchen.made(MAKE, run=f"{kitchen.run_id}{number}")}), args=(n,)
        )
        for n in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    kept = {name.partition(" ")[0] for name in kitchen.names()}
    assert {found[0].name, found[1].name} <= kept
    assert {kitchen.made(MAKE, run=f"{kitchen.run_id}{n}").name for n in range(2, 4)} == {min(kept)}


def test_one_that_is_in_use_stays_and_goes_later(place: Place, run_id: str) -> None:
    kitchen = Kitchen(place, run_id)
    script = "head -c 3m /dev/zero > three"
    old, new = kitchen.made(script), kitchen.made(f"{script}; true")
    tight = Kitchen(place, run_id, total_mib=5)
    with kitchen.backend.open(run_id, kitchen.policy_with(old)):
        until(lambda: kitchen.made(f"{script}; true").name == new.name)
        removed = tight.backend.caches.prune()
        assert old.name not in removed
        assert len(kitchen.names()) == 2 - len(removed)
    kitchen.made(f"{script}; true")
    Kitchen(place, run_id, days=1e-9).backend.caches.prune()
    assert kitchen.names() == []
    assert old.name not in str(place.remains())


def test_one_that_alone_is_too_much_is_not_kept(place: Place, run_id: str) -> None:
    kitchen = Kitchen(place, run_id, total_mib=1)
    provision = kitchen.made("head -c 3m /dev/zero > three")
    assert "raise ENTROPY_SANDBOX__CACHES__TOTAL_MIB" in provision.complaint
    assert kitchen.names() == []


def test_a_run_whose_cache_went_is_told_to_try_again(kitchen: Kitchen) -> None:
    policy = kitchen.policy_with(kitchen.made(MAKE))
    kitchen.backend.caches.clear()
    with pytest.raises(SandboxUnavailable, match="it will be made again"), kitchen.backend.open(kitchen.run_id, policy):
        pass
    assert kitchen.made(MAKE).name


@pytest.mark.docker
def test_a_repository_with_another_image_of_the_operators_has_caches_of_its_own(tmp_path: Path, run_id: str) -> None:
    with closing(DockerPlace(tmp_path)) as place, closing(docker.DockerClient(place.settings.docker_host)) as client:
        image, other = place.settings.image, f"{run_id}:1"
        container = client.containers.create(image, name=f"{run_id}-image")
        try:
            container.commit(run_id, "1", changes="LABEL another=1")
            policy, remark = SandboxPolicy.of(place.settings).tightened(SandboxBounds(image=other), images=(other,))
            assert (policy.image, remark) == (other, "")
            kitchen = Kitchen(place, run_id)
            first = kitchen.made("true")
            kitchen.policy = policy
            second = kitchen.made("hostname > made")
            assert kitchen.made("true").name not in (first.name, "")
            with kitchen.backend.open(run_id, kitchen.policy_with(second)) as sandbox:
                assert sandbox.exec(["cat", "/cache/made"]).stdout == "sandbox\n"
        finally:
            Kitchen(place, run_id).backend.clear()
            container.remove(force=True)
            client.images.remove(other, force=True)


@pytest.mark.bubblewrap
def test_what_a_killed_worker_left_goes_after_an_hour(tmp_path: Path) -> None:
    backend = make_backend(BubblewrapPlace(tmp_path).settings)
    left = tmp_path / "sandboxes" / FOLDER / "new-0"
    left.mkdir(parents=True)
    assert backend.reap(set()) == []
    os.utime(left, (time.time() - ABANDONED - 1,) * 2)
    assert "new-0" in [thing.name for thing in backend.belongings()]
    assert backend.reap(set()) == ["new-0"]
    assert not left.exists()


def test_the_incomplete_the_old_and_the_longest_unused_go() -> None:
    def cache(name: str, age: float, mib: int = 10, *, complete: bool = True) -> Cache:
        return Cache(name=name, used=DAY * 100 - age, complete=complete, made=Made(size=mib * MIB))

    caches = [
        cache("fresh", 10),
        cache("large", 20, 60),
        cache("next", 30),
        cache("old", DAY * 3, 1),
        cache("begun", 60, 0, complete=False),
        cache("abandoned", ABANDONED + 60, 0, complete=False),
    ]
    settings = CacheSettings(days=2, total_mib=70)
    assert {each.name for each in stale_caches(caches, settings, now=DAY * 100)} == {"next", "old", "abandoned"}


def test_another_repository_command_lock_file_image_or_bound_is_another_cache() -> None:
    policy = SandboxPolicy.of(SandboxSettings())
    setup = Setup(command=("make",), files=("a",))

    def key(setup: Setup = setup, locks: bytes = LOCKS, policy: SandboxPolicy = policy, **more: str) -> str:
        return key_of(setup, locks, policy, **{"repository": REPOSITORY, "base": "image", **more})

    assert key() == key(policy=policy.model_copy(update={"stage_seconds": 1.0}))
    others = [
        key(repository="acme/other"),
        key(base="another"),
        key(setup.model_copy(update={"command": ("make", "all")})),
        key(locks=locks_of({"requirements.txt": b"six==1.16.0\n"})),
        key(locks=locks_of({"other.txt": b"six==1.17.0\n"})),
        key(policy=policy.model_copy(update={"network": ()})),
        key(policy=policy.model_copy(update={"path": "/evil:/bin"})),
        key(policy=policy.model_copy(update={"workspace": MIB})),
    ]
    assert len({key(), *others}) == 1 + len(others)
