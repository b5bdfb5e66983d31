"""The bounds of a role and of a repository reach the sandbox that is opened for it."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

from entropy.errors import PolicyViolation
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import SandboxBounds
from tests.integration.sandbox.places import MARK, DockerPlace, Place
from tests.integration.sandbox.trees import tar
from tests.services import require

PROCESSES = "i=0; while [ $i -lt 40 ]; do sleep 3 & i=$((i + 1)); done"
FILES = "i=0; while [ $i -lt 300 ]; do echo > f$i || exit 9; i=$((i + 1)); done"


def tightened(place: Place, **wish: object) -> SandboxPolicy:
    policy, remark = SandboxPolicy.of(place.settings).tightened(
        SandboxBounds.model_validate(wish), images=place.settings.images
    )
    assert remark == ""
    return policy


def test_each_sandbox_has_its_own_bounds(place: Place, backend: Backend, run_id: str) -> None:
    require(place.settings.backend == "docker" or os.geteuid() == 0, "bubblewrap limits as a whole only as root")
    with backend.open(run_id) as sandbox:
        assert sandbox.exec(["sh", "-c", PROCESSES], timeout=20).exit_status == 0
        assert sandbox.exec(["sh", "-c", FILES]).exit_status == 0
    with backend.open(run_id, tightened(place, pids=16, inodes=256, output_kib=1, command_timeout=5)) as sandbox:
        assert sandbox.exec(["sh", "-c", FILES]).exit_status == 9
        assert sandbox.exec(["seq", "9999"]).truncated
        assert sandbox.exec(["sleep", "30"]).timed_out
        assert "fork" in sandbox.exec(["sh", "-c", PROCESSES], timeout=20).stderr.lower()


def test_memory_and_the_size_of_a_tree_and_of_a_patch(place: Place, backend: Backend, run_id: str) -> None:
    policy = tightened(place, memory_mib=64, workspace_mib=16, tmp_mib=16)
    with backend.open(run_id, policy) as sandbox:
        with pytest.raises(PolicyViolation):
            sandbox.put(tar({"large": bytes(20 << 20)}))
        assert sandbox.exec(["sh", "-c", "head -c 100m /dev/zero | tail -c 99m | wc -c"]).stdout.strip() != str(
            99 << 20
        )


@pytest.fixture
def small_image(tmp_path: Path) -> Iterator[tuple[DockerPlace, str]]:
    """An image of the operator's own beside the first."""
    with closing(DockerPlace(tmp_path)) as place:
        name = f"entropy-other:{MARK}"
        client = docker.DockerClient(base_url=place.settings.docker_host)
        with closing(client):
            container = client.containers.create(place.settings.image)
            container.commit("entropy-other", MARK, changes="LABEL other=yes")
            container.remove()
            yield place, name
            client.images.remove(name)


@pytest.mark.docker
def test_a_repository_has_one_of_the_operators_images(small_image: tuple[DockerPlace, str], run_id: str) -> None:
    place, other = small_image
    offered = place.settings.model_copy(update={"images": (other,)})
    policy, _ = SandboxPolicy.of(offered).tightened(SandboxBounds(image=other), images=offered.images)
    client = docker.DockerClient(base_url=place.settings.docker_host)
    with closing(client), make_backend(offered).open(run_id, policy) as sandbox:
        sandbox.put(tar({"a": b"1\n"}))
        sandbox.exec(["sh", "-c", "echo 2 > a"])
        made = client.containers.list(filters={"label": f"entropy.run={run_id}"})
        assert [container.labels.get("other") for container in made] == ["yes", "yes"]
        assert b"+2" in sandbox.collect()
