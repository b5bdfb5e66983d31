"""Memory, process and processor limits by control group files, version 1 or 2, where this process may write them."""

import contextlib
import os
import shlex
import signal
import time
from pathlib import Path

from entropy.sandbox.policy import SandboxPolicy

MOUNTS = Path("/proc/self/mountinfo")
CONTROLLERS = ("memory", "pids", "cpu")
FOLDER = "entropy"
COLLECTOR = ".collector"
"""How the name of a collector's groups ends."""
PERIOD = 100_000
"""Microseconds over which processor time is shared out."""
GRACE = 10.0


def _roots() -> dict[str, Path]:
    """Where each controller's groups are made; without those that this process may not write."""
    roots: dict[str, Path] = {}
    for line in MOUNTS.read_text().splitlines():
        before, after = line.split(" - ")
        root, (kind, _, options) = Path(before.split()[4]), after.split()
        offered: list[str] = []
        if kind == "cgroup":
            offered = options.split(",")
        elif kind == "cgroup2":
            offered = (root / "cgroup.controllers").read_text().split()
        if os.access(root, os.W_OK):
            roots |= {controller: root for controller in CONTROLLERS if controller in offered}
    return roots


def _limits(controller: str, policy: SandboxPolicy) -> dict[str, str]:
    """File names of version 2 and of version 1 with what to write; the order matters to version 1."""
    quota = int(policy.cpus * PERIOD)
    return {
        "memory": {
            "memory.max": str(policy.memory),
            "memory.swap.max": "0",
            "memory.limit_in_bytes": str(policy.memory),
            "memory.memsw.limit_in_bytes": str(policy.memory),
        },
        "pids": {"pids.max": str(policy.pids)},
        "cpu": {
            "cpu.max": f"{quota} {PERIOD}",
            "cpu.cfs_period_us": str(PERIOD),
            "cpu.cfs_quota_us": str(quota),
        },
    }[controller]


def _delegate(controller: str, parent: Path) -> None:
    parent.mkdir(exist_ok=True)
    for folder in (parent.parent, parent):
        control = folder / "cgroup.subtree_control"  # version 2 only
        if control.exists() and controller not in control.read_text().split():
            control.write_text(f"+{controller}\n")


def made() -> list[Path]:
    """All groups of sandboxes on this machine, of this installation and of others."""
    homes = sorted({root / FOLDER for root in _roots().values()})
    return [group for home in homes if home.is_dir() for group in sorted(home.iterdir()) if group.is_dir()]


class Cgroups:
    """The control groups of one name; a controller that cannot be used here is not among `limited`."""

    def __init__(self, name: str) -> None:
        self.folders = {controller: root / FOLDER / name for controller, root in _roots().items()}
        self.limited: set[str] = set()

    @property
    def entering(self) -> list[str]:
        """What a shell does to be limited."""
        # Where there is a file for threads, a process of one thread gets in by it without waiting for all others.
        files = [next(f for f in (folder / "tasks", folder / "cgroup.procs") if f.exists()) for folder in self._there]
        return [f"echo 0 > {shlex.quote(str(file))}" for file in files]

    @property
    def _there(self) -> list[Path]:
        return sorted({folder for folder in self.folders.values() if folder.is_dir()})

    def create(self, policy: SandboxPolicy) -> None:
        for controller, folder in self.folders.items():
            with contextlib.suppress(OSError):  # taken, or a parent that does not hand it on: then it is not limited
                _delegate(controller, folder.parent)
                folder.mkdir(exist_ok=True)
                for file, value in _limits(controller, policy).items():
                    if (folder / file).exists():
                        (folder / file).write_text(f"{value}\n")
                        self.limited.add(controller)

    def kill(self) -> None:
        """Kill what is inside until nothing is."""
        deadline = time.monotonic() + GRACE
        while (inside := self._inside()) and time.monotonic() < deadline:
            for process in inside:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.005)

    def remove(self) -> None:
        self.kill()
        for folder in set(self.folders.values()):
            with contextlib.suppress(FileNotFoundError):
                folder.rmdir()

    def _inside(self) -> set[int]:
        found: set[int] = set()
        for folder in self._there:
            with contextlib.suppress(FileNotFoundError):
                found.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
        return found
