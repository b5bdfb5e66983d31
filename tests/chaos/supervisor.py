"""A tiny supervisor: starts processes, starts again what died, and can be told to leave something down."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Service:
    """One process that is to be up, over all its incarnations."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    popen: subprocess.Popen[bytes] | None = None
    starts: int = 0
    down_until: float = 0
    frozen: bool = False
    log: Path = field(default_factory=Path)

    @property
    def pid(self) -> int:
        return self.popen.pid if self.popen is not None and self.popen.poll() is None else 0


class Supervisor:
    """Processes in groups of their own, logging to ``logs/<name>.log``, all gone at the end of the ``with``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.services: dict[str, Service] = {}

    def __enter__(self) -> "Supervisor":
        # What a killed worker leaves behind becomes a child of ours, where it is counted.
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        (self.folder / "logs").mkdir(exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(list(self.services), patience=1)
        for pid in strays(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _reap(set())
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def add(self, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> Service:
        service = Service(name, list(argv), dict(environment), log=self.folder / "logs" / f"{name}.log")
        self.services[name] = service
        self._start(service)
        return service

    def tick(self) -> None:
        """Start what is down and may be up."""
        for service in self.services.values():
            if not service.pid and time.monotonic() >= service.down_until:
                self._start(service)
        _reap({service.popen.pid for service in self.services.values() if service.popen is not None})

    def until(self, true: Callable[[], bool], *, seconds: float, each: float = 0.1) -> bool:
        """Keep everything up until `true` is; False when it is not within the time."""
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                return False
            self.tick()
            time.sleep(each)
        return True

    def stop(self, names: Sequence[str], *, patience: float) -> None:
        """Ask to end, then end, and forget."""
        stopped = [service for name in names if (service := self.services.pop(name, None)) is not None]
        deadline = time.monotonic() + patience
        for service in stopped:
            for number in (signal.SIGCONT, signal.SIGTERM):
                signal_group(service.pid, number)
        for service in stopped:
            if service.popen is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    service.popen.wait(max(0.0, deadline - time.monotonic()))
                signal_group(service.pid, signal.SIGKILL)
                service.popen.wait()

    def _start(self, service: Service) -> None:
        with service.log.open("ab") as output:
            service.popen = subprocess.Popen(
                list(service.argv),
                env=dict(service.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - there are no threads here
            )
        service.starts += 1
        service.frozen = False


def signal_group(pid: int, number: int) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)


def children_of(parent: int) -> list[int]:
    """The living children of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # "pid (name) state ppid …", where the name may hold spaces and brackets
            state, ppid = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if int(ppid) == parent and state != "Z":
                found.append(int(stat.parent.name))
    return found


def strays(folder: Path) -> dict[int, str]:
    """Living processes other than this one that were told of the folder or work in it, with their command lines."""
    found, place = {}, str(folder).encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            told = command + (process / "environ").read_bytes()
            works = (process / "cwd").readlink()
        except OSError:
            continue
        if int(process.name) != os.getpid() and command and (place in told or works.is_relative_to(folder)):
            found[int(process.name)] = command.replace(b"\0", b" ").decode(errors="replace")[:200]
    return found


def _reap(spared: set[int]) -> None:
    """Collect orphans that ended; services are collected by their own handles."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ChildProcessError):
            state, ppid = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if int(ppid) == os.getpid() and state == "Z" and int(stat.parent.name) not in spared:
                os.waitpid(int(stat.parent.name), os.WNOHANG)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
