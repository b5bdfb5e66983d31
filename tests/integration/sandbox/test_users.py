"""Each sandbox is a user of the machine of its own, in a name that programs inside can make out."""

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

from entropy.errors import SandboxUnavailable
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend, Sandbox
from entropy.settings import SandboxSettings
from tests.integration.sandbox.forgetful_daemon import Body, forgetful
from tests.integration.sandbox.places import MARK, BubblewrapPlace, DockerPlace, Place, until
from tests.integration.sandbox.trees import tar
from tests.services import require

WHO = """
import getpass, pathlib
print(getpass.getuser(), pathlib.Path.home(), pathlib.Path("~/x").expanduser())
"""
LISTEN = "import socket; print(socket.create_server(('localhost', 0)))"
COMMIT = "git init -q . && git add . && git -c user.name=a -c user.email=a@b commit -qm x && git log --format=%an"


@pytest.fixture
def root(place: Place) -> None:
    backend = place.settings.backend
    require(backend == "docker" or os.geteuid() == 0, "only root can make bubblewrap's sandboxes other users")


def changed(place: Place, **changes: object) -> Backend:
    return make_backend(SandboxSettings.model_validate({**place.settings.model_dump(), **changes}))


def sleepers(mark: str) -> list[Path]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cmdline").read_bytes() == f"sleep\0{mark}\0".encode():
                found.append(process)
    return found


@contextlib.contextmanager
def sleeping(sandbox: Sandbox, mark: str) -> Iterator[Path]:
    """A process of the sandbox, as the machine sees it."""
    thread = threading.Thread(target=sandbox.exec, args=(["sleep", mark],), kwargs={"timeout": 20})
    thread.start()
    try:
        until(lambda: sleepers(mark))
        yield sleepers(mark)[0]
    finally:
        sandbox.collect()
        thread.join()


def facts(process: Path) -> dict[str, list[str]]:
    return {line.split(":")[0]: line.split()[1:] for line in (process / "status").read_text().splitlines()}


@pytest.mark.usefixtures("root")
def test_two_at_once_are_two_users_of_the_range(place: Place, backend: Backend, run_id: str) -> None:
    seen = []
    with backend.open(f"{run_id}-a") as one, backend.open(f"{run_id}-b") as other:
        for number, sandbox in enumerate((one, other)):
            with sleeping(sandbox, f"6{number}{int(run_id[-6:], 16)}") as process:
                of = facts(process)
                seen.append(of["Uid"][0])
                assert {*of["Uid"], *of["Gid"]} == {seen[-1]}
                assert of["Groups"] in ([], [seen[-1]])
    assert len(set(seen)) == 2
    assert {int(user) for user in seen} <= set(place.settings.users)


@pytest.mark.usefixtures("root")
def test_nobody_is_lent_twice_and_everybody_is_given_back(place: Place, run_id: str) -> None:
    narrow = changed(place, uids="61183-61183")
    narrow.preflight()
    another = narrow.open(f"{run_id}-b")
    with narrow.open(f"{run_id}-a"), pytest.raises(SandboxUnavailable, match="ENTROPY_SANDBOX__UIDS"), another:
        pytest.fail("two sandboxes are one user")
    with narrow.open(f"{run_id}-c") as sandbox:
        assert sandbox.exec(["true"]).exit_status == 0
    assert place.remains() == []


def test_programs_inside_find_out_who_they_are(sandbox: Sandbox) -> None:
    assert sandbox.exec(["python3", "-c", WHO]).stdout.split() == ["sandbox", "/tmp", "/tmp/x"]
    committed = sandbox.exec(["sh", "-c", f"echo x > x; {COMMIT}"])
    assert (committed.stdout, committed.stderr) == ("a\n", "")


def test_programs_inside_find_localhost(sandbox: Sandbox) -> None:
    assert "'127.0.0.1'" in sandbox.exec(["python3", "-c", LISTEN]).stdout


@pytest.mark.docker
def test_an_image_that_does_not_know_localhost_is_told(tmp_path: Path, run_id: str) -> None:
    with closing(DockerPlace(tmp_path)) as place, closing(docker.DockerClient(place.settings.docker_host)) as client:
        made = client.containers.create(place.settings.image, "true")
        try:
            made.put_archive("/etc", tar({"nsswitch.conf": b"hosts: files dns\n"}))
            image = made.commit(MARK)
        finally:
            made.remove()
        try:
            with changed(place, image=image.id).open(run_id) as sandbox:
                assert "'127.0.0.1'" in sandbox.exec(["python3", "-c", LISTEN]).stdout
        finally:
            client.images.remove(image.id)


@pytest.mark.docker
def test_a_claim_that_another_worker_makes_at_the_same_moment_is_given_up(tmp_path: Path, run_id: str) -> None:
    """The other one is quicker by a moment, and slower than the look at who is taken."""
    with closing(DockerPlace(tmp_path)) as place:
        host = place.settings.docker_host
        require(host.startswith("unix://"), "the daemon has no socket to stand in front of")
        make_backend(place.settings).preflight()
        rivals: list[str] = []

        def claim_too(asked: Body) -> None:
            user = (asked.get("Labels") or {}).get("entropy.user")
            if user and not rivals:
                with closing(docker.DockerClient(base_url=host)) as client:
                    rivals.append(user)
                    client.volumes.create(f"{run_id}-rival", labels={"entropy.user": user, "entropy.owner": MARK})

        with (
            forgetful(Path(host.removeprefix("unix://")), tmp_path / "door", claim_too) as door,
            changed(place, docker_host=door, uids="61100-61183").open(run_id) as sandbox,
        ):
            mine = sandbox.exec(["id", "-u"]).stdout.strip()
        make_backend(place.settings).reap(set())
        assert place.remains() == []
    assert len(rivals) == 1
    assert mine not in ("", *rivals)


@pytest.mark.bubblewrap
def test_a_sandbox_does_not_hold_the_files_of_another(tmp_path: Path, run_id: str) -> None:
    require(os.geteuid() == 0, "only root mounts the workspaces of bubblewrap's sandboxes")
    place = BubblewrapPlace(tmp_path)
    backend = make_backend(place.settings)
    with (
        backend.open(f"{run_id}-a"),
        backend.open(f"{run_id}-b") as sandbox,
        sleeping(sandbox, f"7{int(run_id[-6:], 16)}") as process,
    ):
        outside = Path("/proc", *facts(process)["PPid"])
        while (outside / "comm").read_text() != "bwrap\n":
            outside = Path("/proc", *facts(outside)["PPid"])
        points = [line.split()[4] for line in (outside / "mountinfo").read_text().splitlines()]
    assert "/run/entropy-sandbox/workspace" in points
    assert not [point for point in points if point.startswith(str(place.settings.directory))]
