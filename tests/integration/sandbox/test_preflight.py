"""A daemon that accepts a bound and ignores it is found out, and the sentence says which."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from entropy.errors import ConfigurationError
from entropy.sandbox.canaries import Guarantee
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend
from entropy.settings import SandboxSettings
from tests.integration.sandbox.forgetful_daemon import Body, Forget, forgetful
from tests.integration.sandbox.places import BubblewrapPlace, DockerPlace, Place
from tests.services import require


def without(name: str) -> Forget:
    def forget(asked: Body) -> None:
        asked.get("HostConfig", {}).pop(name, None)

    return forget


def without_sizes(asked: Body) -> None:
    for options in (asked.get("DriverOpts", {}), asked.get("HostConfig", {}).get("Tmpfs", {})):
        for name, value in options.items():
            options[name] = ",".join(part for part in value.split(",") if not part.startswith(("size=", "nr_inodes=")))


def without_network_bounds(asked: Body) -> None:
    if "HostConfig" in asked:
        asked["HostConfig"]["NetworkMode"] = "host"
        asked["NetworkDisabled"] = False


def without_filter(asked: Body) -> None:
    if "HostConfig" in asked:
        asked["HostConfig"]["SecurityOpt"] = ["no-new-privileges", "seccomp=unconfined"]


def without_memory(asked: Body) -> None:
    for name in ("Memory", "MemorySwap"):
        without(name)(asked)


FORGOTTEN = {
    "memory": (without_memory, {Guarantee.MEMORY}),
    "processes": (without("PidsLimit"), {Guarantee.PROCESSES}),
    "sizes": (without_sizes, {Guarantee.SIZE, Guarantee.SCRATCH, Guarantee.FILES}),
    "network": (without_network_bounds, {Guarantee.NETWORK}),
    "filter": (
        without_filter,
        {
            Guarantee.VSOCK,
            Guarantee.IO_URING,
            Guarantee.TRACING,
            Guarantee.KEYRINGS,
            Guarantee.NAMESPACES,
            Guarantee.FAULTS,
            Guarantee.OTHER_ENTRIES,
        },
    ),
    "new filters": (without("SecurityOpt"), {Guarantee.TRACING, Guarantee.OTHER_ENTRIES}),
}


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[DockerPlace]:
    with closing(DockerPlace(tmp_path)) as place:
        require(place.settings.docker_host.startswith("unix://"), "the daemon has no socket to stand in front of")
        yield place


def changed(place: Place, **changes: object) -> Backend:
    return make_backend(SandboxSettings.model_validate({**place.settings.model_dump(), **changes}))


@pytest.mark.docker
@pytest.mark.parametrize("what", FORGOTTEN)
def test_a_daemon_that_forgets_is_refused(docker: DockerPlace, tmp_path: Path, what: str, run_id: str) -> None:
    forget, guarantees = FORGOTTEN[what]
    real = Path(docker.settings.docker_host.removeprefix("unix://"))
    with forgetful(real, tmp_path / "door", forget) as host:
        opened = changed(docker, docker_host=host).open(run_id)
        with pytest.raises(ConfigurationError, match="does not have") as refused, opened:
            pytest.fail("a sandbox without bounds was opened")
    said = {guarantee for guarantee in Guarantee if guarantee in str(refused.value)}
    assert guarantees <= said
    assert what == "new filters" or said == guarantees
    assert docker.remains() == []


@pytest.mark.docker
def test_the_daemon_behind_a_door_that_forgets_nothing_passes(docker: DockerPlace, tmp_path: Path) -> None:
    real = Path(docker.settings.docker_host.removeprefix("unix://"))
    with forgetful(real, tmp_path / "door", lambda asked: None) as host:
        assert changed(docker, docker_host=host).preflight() == ()


@pytest.mark.bubblewrap
def test_bubblewrap_says_what_it_lacks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    absent = make_backend(BubblewrapPlace(tmp_path).settings).preflight()
    assert "weaker than a container" in caplog.text
    assert all(what in caplog.text for what in absent)
    if os.geteuid() == 0:
        assert absent == ()
    else:
        assert {Guarantee.MEMORY, Guarantee.SIZE, Guarantee.FILES, Guarantee.PROCESSOR} <= set(absent)
