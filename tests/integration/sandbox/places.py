"""The machine's side of each backend: settings for tests, and what a sandbox may have left behind."""

import contextlib
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import docker

from entropy.settings import SandboxSettings
from tests.services import require

SMALL = {
    "memory_mib": 256,
    "workspace_mib": 64,
    "tmp_mib": 32,
    "inodes": 16_384,
    "pids": 64,
    "output_kib": 16,
    "patch_mib": 1,
    "command_timeout": 60.0,
}


class BubblewrapPlace:
    """Folders, mounts, control groups and processes of this machine."""

    def __init__(self, folder: Path) -> None:
        require(shutil.which("bwrap"), "bubblewrap is not installed")
        environment, base = Path(sys.prefix), Path(sys.base_prefix)
        self.settings = SandboxSettings(
            backend="bubblewrap",
            directory=folder / "sandboxes",
            binds=(environment, base),
            path=f"{environment}/bin:/usr/bin:/bin",
            **SMALL,
        )

    def remains(self) -> list[str]:
        directory = str(self.settings.directory)
        folders = os.listdir(directory) if os.path.isdir(directory) else []
        mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if directory in line]
        # Each level by its name alone: what another installation has there may go at any moment.
        homes = [folder for folder, below, _ in os.walk("/sys/fs/cgroup") if Path(folder).name == "entropy"]
        groups = [f"{home}/{name}" for home in homes if os.path.isdir(home) for name in os.listdir(home)]
        return [*folders, *mounts, *(group for group in groups if _is_ours(group))]

    def close(self) -> None:
        pass


def _is_ours(group: str) -> bool:
    return Path(group).name.startswith(MARK)


MARK = f"test-{uuid.uuid4().hex[:8]}"
"""Begins every run id of these tests, so that other sandboxes on the machine are not taken for ours."""


def _answers(host: str) -> bool:
    path = host.removeprefix("unix://")
    return not host.startswith("unix:") or Path(path).is_socket()


class DockerPlace:
    """Containers and volumes of the daemon that DOCKER_HOST names."""

    def __init__(self, folder: Path) -> None:
        host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        self.settings = SandboxSettings(backend="docker", docker_host=host, owner=MARK, **SMALL)
        require(_answers(host), f"no Docker daemon answers at {host}")
        self._client = docker.DockerClient(base_url=host)
        images = self._client.images.list(self.settings.image)
        if not images:
            self._client.close()
        require(images, "the sandbox image is missing; make it with ops/images/build")

    def remains(self) -> list[str]:
        ours = {"label": f"entropy.owner={MARK}"}
        containers = self._client.containers.list(all=True, filters=ours, ignore_removed=True)
        return [thing.name for thing in [*containers, *self._client.volumes.list(filters=ours)]]

    def close(self) -> None:
        self._client.close()


Place = BubblewrapPlace | DockerPlace
PLACES: dict[str, type[BubblewrapPlace] | type[DockerPlace]] = {"bubblewrap": BubblewrapPlace, "docker": DockerPlace}


def processes(mark: str) -> list[str]:
    """Command lines on this machine that contain `mark`."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended
            found.append(process.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if mark in line]


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
