"""The demo's own processes: each in a group of its own, logging to a file, gone when the demo is gone."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from entropy.cli.demo.failure import DemoFailed
from entropy.cli.demo.signals import Interruption

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
TAIL = 25

_libc = ctypes.CDLL(None, use_errno=True)


class Process(Protocol):
    """What `subprocess.Popen` says of a process, as far as it matters here."""

    pid: int

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def terminate(self) -> None: ...


class Child(NamedTuple):
    """A server or worker of the demo."""

    name: str
    popen: Process
    log: Path

    def tail(self, lines: int = TAIL) -> str:
        """The last lines that the process wrote."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])


def spawned(argv: Sequence[str], environment: Mapping[str, str], folder: Path, output: BinaryIO) -> Process:
    """A process in a session of its own, which ends with this one."""
    return subprocess.Popen(
        list(argv),
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - there are no threads here
    )


Spawn = Callable[[Sequence[str], Mapping[str, str], Path, BinaryIO], Process]


class Children:
    """Starts processes and, on leaving the ``with``, ends them all and whatever they left behind."""

    def __init__(
        self, folder: Path, interruption: Interruption, *, patience: float = 2.0, spawn: Spawn = spawned
    ) -> None:
        """`patience`: seconds between the polite signal and the final one."""
        self.folder = folder
        self._interruption = interruption
        self._patience = patience
        self._spawn = spawn
        self._running: list[Child] = []
        self._others: frozenset[int] = frozenset()

    def __enter__(self) -> "Children":
        # What a dying worker leaves behind becomes a child of ours instead of init's: nothing escapes `stop`.
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._others = frozenset(_children_of_this_process())
        (self.folder / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def start(self, name: str, argv: Sequence[str], *, environment: Mapping[str, str]) -> Child:
        """Start from the main thread only: the kernel ends the child when the thread that made it ends."""
        log = self.folder / "logs" / f"{name}.log"
        with self._interruption.held(), log.open("ab") as output:
            popen = self._spawn(argv, environment, self.folder, output)
        child = Child(name, popen, log)
        self._running.append(child)
        self._interruption.check()
        return child

    def release(self, child: Child) -> None:
        """Stop watching a child; from now on it may die."""
        self._running.remove(child)

    def check(self) -> None:
        """Raise `Interrupted` when asked to end, `DemoFailed` with the end of its log when a process has died."""
        self._interruption.check()
        for child in self._running:
            status = child.popen.poll()
            if status is not None:
                raise DemoFailed(f"{child.name} has stopped (exit {status}). The end of its log:\n{child.tail()}")

    def wait_until(self, ready: Callable[[], bool], *, what: str, seconds: float = 30.0) -> None:
        """Wait for `ready`, while every process is alive."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise DemoFailed(f"{what} was not ready within {seconds:.0f} seconds.\n{self.tails()}")
            time.sleep(0.02)

    def tails(self, lines: int = 8) -> str:
        """The end of every log."""
        return "\n".join(f"--- {child.name}\n{child.tail(lines)}" for child in self._running if child.tail(lines))

    def stop(self) -> None:
        """Ask all but the first to end, then the first, which the others talk to; then end what is left."""
        first, others = self._running[:1], self._running[1:]
        _terminate(others, self._patience)
        _terminate(first, self._patience)
        self._running.clear()
        _kill_descendants(self._others)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _terminate(children: Sequence[Child], patience: float) -> None:
    deadline = time.monotonic() + patience
    for child in children:
        _signal_group(child.popen, signal.SIGTERM)
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.popen.wait(max(0.0, deadline - time.monotonic()))
    for child in children:
        _signal_group(child.popen, signal.SIGKILL)
        child.popen.wait()  # what is left of its group comes to us, see `_kill_descendants`


def _signal_group(popen: Process, number: int) -> None:
    # Until its leader is reaped the number of a group cannot belong to anybody else.
    if popen.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(popen.pid, number)


def _kill_descendants(spared: frozenset[int]) -> None:
    """End every process below this one; an orphan's children come to us when it ends, hence the loop."""
    while pids := set(_children_of_this_process()) - spared:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in pids:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children_of_this_process() -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # "pid (name) state ppid …", where the name may hold spaces and brackets
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == os.getpid():
                yield int(stat.parent.name)
