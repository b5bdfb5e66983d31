"""Processes and control groups of bubblewrap sandboxes whose folder is gone, by somebody else's hand."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from entropy.sandbox.backends import cgroups, folder_caches, jail
from entropy.sandbox.belongings import Belonging, Kind

ABANDONED = 86400.0
"""Seconds after which an empty control group is nobody's; younger, it may be of another folder's sandbox."""


def strays(directory: Path) -> list[Belonging]:
    """What belongs to sandboxes that were below `directory` and have no folder there."""
    return [*_processes(directory), *_groups(directory)]


def remove(stray: Belonging) -> bool:
    """Whether it is gone; a control group with processes stays, and so does one that may be in use elsewhere."""
    if stray.kind is Kind.PROCESS:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(stray.name), signal.SIGKILL)
        return True
    if time.time() - stray.since < ABANDONED:
        return False
    with contextlib.suppress(OSError):  # in use, or gone
        Path(stray.name).rmdir()
    return not Path(stray.name).exists()


def _processes(directory: Path) -> Iterator[Belonging]:
    for process, words in jail.bubblewraps():
        for word in words:
            inside = Path(word)
            if inside.is_relative_to(directory) and inside != directory and folder_caches.FOLDER not in inside.parts:
                folder = directory / inside.relative_to(directory).parts[0]
                if not folder.exists():
                    yield Belonging(
                        kind=Kind.PROCESS, name=str(process), run=_run_of(folder.name), since=_since(f"/proc/{process}")
                    )
                break


def _groups(directory: Path) -> Iterator[Belonging]:
    for group in cgroups.made():
        folder = group.name.removesuffix(cgroups.COLLECTOR)
        if not (directory / folder).exists():
            yield Belonging(kind=Kind.CONTROL_GROUP, name=str(group), run=_run_of(folder), since=_since(str(group)))


def _run_of(name: str) -> str:
    return name.rpartition(".")[0]


def _since(path: str) -> float:
    with contextlib.suppress(FileNotFoundError):
        return Path(path).stat().st_mtime
    return time.time()
