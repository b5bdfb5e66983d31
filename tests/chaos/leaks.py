"""What is left behind once all work is done: processes, mounts, control groups, folders, keys."""

import subprocess
from collections.abc import Collection
from pathlib import Path

import redis

from tests.chaos.installation import Installation

GROUPS = Path("/sys/fs/cgroup")
TRANSIENT = ("intents", "artifacts", "claim", "active", "live")
"""Kinds of keys that belong to a run only while it lives."""


def leaks(there: Installation, runs: Collection[str]) -> dict[str, int]:
    """By kind, of this installation and its runs only; call it while the workers are still up and idle."""
    return {
        "sandbox folders": len(_folders(there)),
        "sandbox processes": len(_jailed(there)),
        "mounts": len(_mounted(there.folder)),
        "control groups": _groups(runs),
        "keys": len(leftover_keys(there)),
    }


def leftover_keys(there: Installation) -> list[str]:
    with there.client() as client:
        return [key for kind in TRANSIENT for key in _keys(client, kind)]


def _keys(client: redis.Redis, kind: str) -> list[str]:
    found = [str(key) for key in client.scan_iter(f"entropy:{kind}:*", count=500)]
    whole = f"entropy:{kind}"
    return [*found, whole] if client.exists(whole) else found


def _folders(there: Installation) -> list[Path]:
    return list(there.sandboxes.iterdir()) if there.sandboxes.is_dir() else []


def _jailed(there: Installation) -> list[str]:
    """Processes of sandboxes, by the folder of the sandbox in their command line."""
    found, place = [], str(there.sandboxes).encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if place in command:
            found.append(command.decode(errors="replace"))
    return found


def unmount(folder: Path) -> None:
    """Let go of what a trial that leaks has left mounted, so that its folder can be read and removed."""
    for place in _mounted(folder):
        subprocess.run(["umount", "--lazy", place], check=False)


def _mounted(folder: Path) -> list[str]:
    places = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [place for place in places if Path(place).is_relative_to(folder)]


def _groups(runs: Collection[str]) -> int:
    """Groups named after a run of ours."""
    names = {path.name for root in GROUPS.glob("*/entropy") for path in root.iterdir() if path.is_dir()}
    return sum(name.partition("-")[0] in runs for name in names)
