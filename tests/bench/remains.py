"""What sandboxes have on a machine, counted without asking their backend."""

import contextlib
import os
import time
from pathlib import Path

import docker

from entropy.settings import SandboxSettings

CGROUPS = Path("/sys/fs/cgroup")
USAGE = ("memory.usage_in_bytes", "memory.current")
SETTLING = 20.0
MIB = 1 << 20
BENCH = "tests.bench"
"""In the command lines of whoever measures."""


class Remains:
    """Counts; remembers the ids of containers, since their processes are known by nothing else once they are gone."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._ids: set[str] = set()

    def counted(self) -> dict[str, int]:
        """How many there are of each sort, by name."""
        found = self._of_docker() if self._settings.backend == "docker" else self._of_bubblewrap()
        marks = {*self._ids, str(self._settings.directory), str(self._settings.egress.directory)}
        found["processes"] = sum(any(mark in line for mark in marks) for _, line in processes() if BENCH not in line)
        return found | {"egress folders": _entries(self._settings.egress.directory)}

    def settled(self) -> dict[str, int]:
        """The counts once they are all zero, or after a while."""
        deadline = time.monotonic() + SETTLING
        while any((counts := self.counted()).values()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return counts

    def _of_docker(self) -> dict[str, int]:
        ours = {"label": f"entropy.owner={self._settings.owner}"}
        with contextlib.closing(docker.DockerClient(base_url=self._settings.docker_host)) as client:
            containers = client.containers.list(all=True, filters=ours, sparse=True, ignore_removed=True)
            volumes = client.volumes.list(filters=ours)
        self._ids |= {str(container.id) for container in containers}
        return {"containers": len(containers), "volumes": len(volumes), "cgroups": len(_groups(self._ids))}

    def _of_bubblewrap(self) -> dict[str, int]:
        directory = str(self._settings.directory)
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        return {
            "folders": _entries(self._settings.directory),
            "mounts": sum(directory in line for line in mounts),
            "cgroups": len(_groups({"bench-"})),
        }


def idle_memory(settings: SandboxSettings, count: int) -> dict[str, float]:
    """MiB per sandbox: of processes by their proportional share, and what the control groups count."""
    marks = _containers(settings) if settings.backend == "docker" else {str(settings.directory)}
    groups = _groups(marks if settings.backend == "docker" else {"bench-"})
    named = {process for process, line in processes() if any(mark in line for mark in marks) and BENCH not in line}
    pids = named | {int(line) for group in groups for line in _lines(group / "cgroup.procs")}
    return {
        "idle_processes": round(len(pids) / count, 2),
        "idle_processes_mib": round(sum(map(_share, pids)) / count / MIB, 1),
        "idle_cgroups_mib": round(sum(map(_usage, groups)) / count / MIB, 1),
    }


def processes() -> list[tuple[int, str]]:
    """Ids and command lines."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found.append((int(process.name), words))
    return found


def _containers(settings: SandboxSettings) -> set[str]:
    with contextlib.closing(docker.DockerClient(base_url=settings.docker_host)) as client:
        ours = {"label": f"entropy.owner={settings.owner}"}
        return {str(container.id) for container in client.containers.list(filters=ours, sparse=True)}


def _groups(marks: set[str]) -> list[Path]:
    """The control groups whose name begins with, or is, one of the marks."""
    found = []
    for folder, names, _ in os.walk(CGROUPS):
        found += [Path(folder, name) for name in names if any(name.startswith(mark) for mark in marks)]
    return found


def _usage(group: Path) -> int:
    return next((int(line) for name in USAGE for line in _lines(group / name)), 0)


def _share(process: int) -> int:
    lines = [line.split() for line in _lines(Path(f"/proc/{process}/smaps_rollup"))]
    return next((int(words[1]) * 1024 for words in lines if words[0] == "Pss:"), 0)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []


def _entries(folder: Path) -> int:
    return len(list(folder.iterdir())) if folder.is_dir() else 0
